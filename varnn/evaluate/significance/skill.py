"""How much better, and how sure: skill against a baseline with block-bootstrap intervals.

Called by compare and the report, on losses from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from varnn.display import Shown
from varnn.errors import NonFiniteError, ParameterError, ShapeError
from varnn.evaluate.significance.block_bootstrap import Scheme, block_indices, block_length, block_means
from varnn.evaluate.significance.long_run_variance import FEWEST_ORIGINS, ROUNDING, checked_losses, checked_pair
from varnn.series import checked_coverage, generator, whole_number

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Skill(Shown):
    """Skill of a model against a baseline, in percent: 100 (1 − its loss / the baseline's loss).

    Attributes
    ----------
    value, lower, upper : float
        3 means a loss 3 % below the baseline's; negative means worse.
    coverage : float
        Of the interval lower … upper.
    n, block : int
        Origins and (mean) block length.
    valid : bool
        False if there are too few origins for an interval; lower and upper are then −inf and 100.
    note : str
    """

    value: float
    lower: float
    upper: float
    coverage: float
    n: int
    block: int
    valid: bool = True
    note: str = ""

    def sentence(self, model: str = "the model", baseline: str = "the baseline", loss: str = "RMSE") -> str:
        """Say the skill in plain words.

        Examples
        --------
        >>> Skill(3.1, -0.4, 6.6, 0.9, 120, 4).sentence("the tanh RNN", "the VAR")
        'The RMSE of the tanh RNN is 3.1 % below that of the VAR (90 % interval: 0.4 % above to 6.6 % below, \
120 origins).'
        """
        start = f"{model[:1].upper()}{model[1:]}" if not loss else f"The {loss} of {model}"
        head = f"{start} is {_side(self.value)} that of {baseline}"
        if not self.valid:
            return f"{head} ({self.note})."
        return (f"{head} ({100 * self.coverage:g} % interval: {_side(self.lower)} to {_side(self.upper)}, "
                f"{self.n} origins).")


def skill_interval(losses: ArrayLike, baseline: ArrayLike, *, power: float = 0.5, coverage: float = 0.95,
                   horizon: int = 1, block: int | None = None, count: int = 2000, scheme: Scheme = "circular",
                   rng: object = None) -> Skill:
    """Compare average losses as 100 (1 − (mean L / mean L_baseline)^power), with an interval.

    Origins are resampled in blocks of b, both models together, and the interval is the log ratio ± a
    Student quantile with n/b − 1 degrees of freedom times its bootstrap standard error, mapped back. The
    error is widened by (n/(n − b))^½, which undoes the bias of centring blocks. Nominal 90 % held 88–92 %
    at n = 20–200, h = 1, and 87–90 % at n = 100–200, h = 4 (1000 simulations, heavily overlapping errors).

    Parameters
    ----------
    losses, baseline : array (n,) or (n, c)
        Losses at the same origins, in time order; further columns (steps, series) are averaged over.
    power : float
        ½ turns squared errors into a ratio of RMSE, 1 compares the losses themselves.
    coverage : float
        Of the interval.
    horizon : int
        Errors h steps ahead overlap; beyond one step blocks are at least 3h long.
    block : int, optional
        (Mean) block length; Politis and White's choice for L/mean L − L_b/mean L_b by default.
    count : int
        Bootstrap samples.
    scheme : 'stationary' or 'circular'
    rng : seed or Generator

    Returns
    -------
    Skill

    Raises
    ------
    ParameterError, NonFiniteError, ShapeError, MissingDataError
        NonFiniteError if an average loss is not above zero, where a ratio has no meaning.

    References
    ----------
    Politis and Romano (1994), JASA 89. Politis and White (2004), Econometric Reviews 23.

    Examples
    --------
    >>> e = np.random.default_rng(0).normal(size=200)
    >>> round(skill_interval((0.9 * e) ** 2, e**2).value, 6)
    10.0
    """
    pair = np.column_stack(checked_pair(_by_origin(losses, "losses"), _by_origin(baseline, "baseline")))   # (n, 2)
    n, coverage = len(pair), checked_coverage(coverage)
    horizon, count = whole_number(horizon, "horizon", least=1), whole_number(count, "count", least=2)
    means = pair.mean(axis=0) if n else np.zeros(2)
    if not power > 0:
        raise ParameterError(f"power={power!r} is not usable; give 0.5 for a ratio of RMSE or 1 for one of losses")
    if means[1] == means[0]:
        return Skill(0.0, 0.0, 0.0, coverage, n, 0, n > 0, "the losses are identical" if n else "there are no origins")
    if not (means > 0).all():
        raise NonFiniteError(f"the average losses are {means[0]:g} and {means[1]:g}; a ratio needs both above zero "
                             "(compare log scores by their difference)")
    value = float(100.0 * (1.0 - (means[0] / means[1]) ** power))
    influence = pair[:, 0] / means[0] - pair[:, 1] / means[1]
    if np.abs(influence).max() <= ROUNDING:
        return Skill(value, value, value, coverage, n, 0, True, "the two losses are proportional")
    least = max(FEWEST_ORIGINS, 3 * horizon)
    if n < least:
        return Skill(value, -np.inf, 100.0, coverage, n, 0, False, f"{n} origins are too few for an interval, "
                                                                 f"it needs at least {least}")
    least_block = 3 * horizon if horizon > 1 else 1
    length = min(max(least_block, round(block_length(influence, scheme=scheme))), n // 3) if block is None else \
        whole_number(block, "block", least=1, most=n // 2)
    draws = block_means(pair, block_indices(n, length, count, generator(rng), scheme=scheme))
    return Skill(value, *_student_interval(draws, means, power, coverage, n, length), coverage, n, length)


def bootstrap_pvalue(statistic: float, simulated: ArrayLike) -> float:
    """Return the p-value of a statistic against its draws under the null, (1 + #{T* ≥ T})/(B + 1).

    Used when the null can be simulated, for example losses of both models on series drawn from the
    fitted VAR, where no textbook distribution is right.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap Methods and their Application, eq. 4.11.

    Examples
    --------
    >>> bootstrap_pvalue(2.5, [0.1, 0.4, 3.0])
    0.5
    """
    draws = checked_losses(simulated, "simulated")
    return float((1 + (draws >= statistic).sum()) / (len(draws) + 1))


def _student_interval(draws: FloatArray, means: FloatArray, power: float, coverage: float,
                      n: int, block: int) -> tuple[float, float]:
    widened = float(np.sqrt(n / (n - block)))
    spread = power * widened * float(np.std(np.log(draws[:, 0] / draws[:, 1]), ddof=1))
    centre = power * float(np.log(means[0] / means[1]))
    reach = float(special.stdtrit(max(n / block - 1.0, 1.0), 0.5 + coverage / 2.0)) * spread
    return float(100.0 * (1.0 - np.exp(centre + reach))), float(100.0 * (1.0 - np.exp(centre - reach)))


def _by_origin(losses: ArrayLike, argument: str) -> FloatArray:
    array = checked_losses(losses, argument, dimensions=max(1, np.ndim(np.asarray(losses))))
    if array.size == 0 and array.ndim > 1:
        raise ShapeError(f"{argument} is empty")
    return array.reshape(len(array), -1).mean(axis=1) if array.ndim > 1 else array


def _side(value: float) -> str:
    if np.isinf(value):
        return "any amount above"
    return f"{abs(value):.1f} % {'below' if value >= 0 else 'above'}"
