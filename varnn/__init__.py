"""varnn compares classical and neural time-series models on equal terms.

Every model is one recursion h_t = f(h_{t-1}, x_t): the VAR, the linear RNN and the tanh RNN are the same
equation with some weights held at zero. The names below are the stable ones; they load on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from varnn import data as data
    from varnn import errors as errors
    from varnn.comparison.compare import Climb, Comparison, climb, compare
    from varnn.forecast import Forecast
    from varnn.forecaster import Fitted, Forecaster
    from varnn.inference.system_linearity import linearity
    from varnn.models.beside_direct import Direct
    from varnn.models.rung0_naive import Drift, Mean, Naive, SeasonalNaive
    from varnn.models.rung1_shrunk import ShrunkVAR
    from varnn.models.rung1_var import VAR
    from varnn.models.rung2_linear import LinearRNN
    from varnn.models.rung3_tanh import TanhRNN
    from varnn.models.rung4_gated import GRU, LSTM
    from varnn.models.wrap_conformal import Conformal
    from varnn.models.wrap_ensemble import Ensemble
    from varnn.models.wrap_panel import Panel
    from varnn.persist import load, save
    from varnn.sequence.aligned import SequenceLabeler
    from varnn.sequence.many_to_one import SequenceClassifier

__version__ = "0.1.0"

_HOMES = {
    "Climb": "varnn.comparison.compare",
    "Comparison": "varnn.comparison.compare",
    "Conformal": "varnn.models.wrap_conformal",
    "Direct": "varnn.models.beside_direct",
    "Drift": "varnn.models.rung0_naive",
    "Ensemble": "varnn.models.wrap_ensemble",
    "Fitted": "varnn.forecaster",
    "Forecast": "varnn.forecast",
    "Forecaster": "varnn.forecaster",
    "GRU": "varnn.models.rung4_gated",
    "LSTM": "varnn.models.rung4_gated",
    "LinearRNN": "varnn.models.rung2_linear",
    "Mean": "varnn.models.rung0_naive",
    "Naive": "varnn.models.rung0_naive",
    "Panel": "varnn.models.wrap_panel",
    "SeasonalNaive": "varnn.models.rung0_naive",
    "SequenceClassifier": "varnn.sequence.many_to_one",
    "SequenceLabeler": "varnn.sequence.aligned",
    "ShrunkVAR": "varnn.models.rung1_shrunk",
    "TanhRNN": "varnn.models.rung3_tanh",
    "VAR": "varnn.models.rung1_var",
    "climb": "varnn.comparison.compare",
    "compare": "varnn.comparison.compare",
    "linearity": "varnn.inference.system_linearity",
    "load": "varnn.persist",
    "save": "varnn.persist",
}

_ROOMS = ("data", "errors")  # modules that need no import of their own: `varnn.data.load("macrodata")`

__all__ = [
    "GRU",
    "LSTM",
    "VAR",
    "Climb",
    "Comparison",
    "Conformal",
    "Direct",
    "Drift",
    "Ensemble",
    "Fitted",
    "Forecast",
    "Forecaster",
    "LinearRNN",
    "Mean",
    "Naive",
    "Panel",
    "SeasonalNaive",
    "SequenceClassifier",
    "SequenceLabeler",
    "ShrunkVAR",
    "TanhRNN",
    "__version__",
    "climb",
    "compare",
    "linearity",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"varnn.{name}")
    if name not in _HOMES:
        from varnn.guide import no_name

        raise no_name("varnn", name, __all__)
    found = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)  # asked for once
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
