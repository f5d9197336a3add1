"""Why an optimiser stopped: a value that travels with every fit and is shown in reports, never printed.

Called by every iterative estimator in `varnn.estimate`; never raises or warns by itself.
"""

from __future__ import annotations

from enum import Enum


class Stop(Enum):
    """The reason why an iteration ended; `converged` says whether the result may be trusted.

    Examples
    --------
    >>> Stop.gradient_small.converged, Stop.out_of_steps.converged
    (True, False)
    >>> Stop.out_of_steps.message
    'the allowed number of steps was used up before the gradient became small'
    """

    closed_form = "closed_form"
    gradient_small = "gradient_small"
    step_small = "step_small"
    at_boundary = "at_boundary"
    out_of_steps = "out_of_steps"
    no_descent = "no_descent"
    diverged = "diverged"
    validation_rose = "validation_rose"

    @property
    def converged(self) -> bool:
        """True where the end point is a stationary point as far as float64 can tell."""
        return self in {Stop.closed_form, Stop.gradient_small, Stop.step_small}

    @property
    def message(self) -> str:
        """One sentence for a reader of a report."""
        return _MESSAGES[self.name]


_MESSAGES = {
    "closed_form": "the estimate has a closed form",
    "gradient_small": "the gradient is small: the predicted gain of another step is negligible",
    "step_small": "the objective no longer changes in float64 although the gradient is not quite zero",
    "at_boundary": "the optimum lies on the edge of stability; the last stable point was kept",
    "out_of_steps": "the allowed number of steps was used up before the gradient became small",
    "no_descent": "no step along the search direction lowered the objective",
    "validation_rose": "the loss on the validation part no longer fell; the weights that were best there were kept",
    "diverged": "the objective became infinite; the best finite point was kept",
}
