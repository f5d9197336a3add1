"""Hand a fitted rung to torch: an ordinary `torch.nn.Module` made of nn.RNN, GRU, LSTM and Linear with its weights.

Called by users who go on in torch (ONNX, fine-tuning, a GPU). The module is checked against the fit's own one-step
predictions before it is handed over. Nothing inside varnn imports this file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from varnn.deferred import need
from varnn.errors import ParameterError
from varnn.estimate.least_squares.regression import Trend, fixed_regressors
from varnn.forecaster import Fitted
from varnn.models.rung1_var import FittedVAR
from varnn.models.rung2_linear import FittedLinearRNN
from varnn.models.rung3_tanh import FittedTanhRNN
from varnn.models.rung4_gated import FittedGated
from varnn.series import FloatArray, Series

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def inputs(fit: Fitted, y: object = None, X: object = None) -> Tensor:
    """Return rows x_t = (trend, z_t, y_{t-1} … y_{t-p}) for every date after the presample, shape (1, T − p, q).

    Parameters
    ----------
    fit : Fitted
    y, X : DataFrame or array, optional
        Observations and exogenous columns; the estimation sample when left out.
    """
    need("torch", "the module of a fit", "torch")
    import torch

    series = fit.series if y is None else Series.of(y)
    exog = fit.exog if y is None else None if X is None else series.exog_of(X)
    p = _lags(fit)
    trend: Trend = getattr(fit.spec, "trend", "c")
    fixed = fixed_regressors(len(series), trend, None if exog is None else exog.values)
    rows = [fixed[p:], *(series.values[p - lag:len(series) - lag] for lag in range(1, p + 1))]
    return torch.tensor(np.hstack(rows))[None]


def to_torch(fit: Fitted) -> Module:
    """Return a float64 module whose forward maps rows of `inputs` (B, T, q) to one-step predictions (B, T, k).

    ŷ = readout(recurrent(x)) + linear(x), in the units of the series. A linear RNN becomes an `nn.RNN` of rectified
    units in pairs, u = max(u, 0) − max(−u, 0), which is exact; forward takes the state before the first row as a second
    argument, zeros when left out. Of a tanh RNN it is the most probable member.

    Parameters
    ----------
    fit : Fitted
        A VAR, linear RNN, tanh RNN without feedback of innovations, GRU or LSTM.

    Raises
    ------
    ParameterError
        If the fit is of another kind, or is not such a module.

    Examples
    --------
    >>> from varnn.models.rung1_var import VAR
    >>> fit = VAR(lags=1).fit(np.random.default_rng(0).normal(size=(50, 2)))
    >>> module = to_torch(fit)
    >>> bool(np.allclose(module(inputs(fit))[0].detach().numpy(), fit.fittedvalues, atol=1e-12))
    True
    """
    need("torch", "to_torch", "torch")
    if isinstance(fit, FittedVAR):
        recurrent, readout, linear = None, None, _var(fit)
    elif isinstance(fit, FittedLinearRNN):
        recurrent, readout, linear = _linear(fit)
    elif isinstance(fit, FittedTanhRNN):
        fit = replace(fit, members=fit.members[:1])
        parts = fit.to_torch()
        recurrent, readout, linear = parts.rnn, parts.readout, parts.linear
    elif isinstance(fit, FittedGated):
        recurrent, readout, linear = _gated(fit)
    else:
        raise ParameterError(f"{fit.spec.label} has no torch module; there are modules for VAR, LinearRNN, TanhRNN, "
                             "GRU and LSTM")
    module = _module(recurrent, readout, linear)
    if not isinstance(fit, FittedLinearRNN):          # its filter starts from a state that the module is given
        _check(fit, module)
    return module


def pair_state(state: FloatArray) -> Tensor:
    """Return a state (n,) of a linear RNN as the first state (1, 1, 2n) of its module."""
    import torch

    return torch.tensor(np.concatenate([np.maximum(state, 0.0), np.maximum(-state, 0.0)]))[None, None]


def _module(recurrent: Any, readout: Any, linear: Any) -> Module:
    from torch import nn

    class OneStep(nn.Module):
        """ŷ_t = readout(recurrent(x)_t) + linear(x_t)."""

        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.readout, self.linear = recurrent, readout, linear

        def forward(self, x: Tensor, start: Any = None) -> Tensor:
            predicted: Tensor = self.linear(x)
            if self.recurrent is not None:
                predicted = predicted + self.readout(self.recurrent(x, start)[0])
            return predicted

    return OneStep()


def _check(fit: Fitted, module: Module) -> None:
    import torch

    with torch.no_grad():
        ours = module(inputs(fit))[0].numpy()
    worst = float(np.abs((ours - fit.fittedvalues.to_numpy()) / fit.series.values.std(axis=0)).max())
    if not worst < 1e-9:
        raise ParameterError(f"this {fit.spec.label} is not one recurrent layer beside a linear one (its predictions "
                             f"would be off by {worst:.2g} standard deviations); fit it with skip=False or without "
                             "a trend")


def _lags(fit: Fitted) -> int:
    lags = getattr(fit, "k_ar", None)
    return int(fit.lags if lags is None else lags)  # type: ignore[attr-defined]


def _dense(weight: FloatArray, bias: FloatArray) -> Module:
    """Return a Linear layer (k, q) with these weights."""
    import torch

    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    return layer


def _recurrent(kind: Any, cell: dict[str, FloatArray], **options: Any) -> Module:
    """Return a recurrent layer of torch with the weights of a cell."""
    import torch

    width = cell["weight_hh"].shape[1]
    layer: Module = kind(cell["weight_ih"].shape[1], width, batch_first=True, dtype=torch.float64, **options)
    layer.load_state_dict({f"{name}_l0": torch.tensor(value) for name, value in cell.items()})
    return layer


def _var(fit: FittedVAR) -> Module:
    constant = int(fit.trend != "n")
    coef = fit.params.to_numpy().T
    return _dense(coef[:, constant:], coef[:, 0] if constant else np.zeros(len(coef)))


def _linear(fit: FittedLinearRNN) -> tuple[Module, Module, Module]:
    import torch

    k, n = fit.series.k, fit.width
    lagged = fit.weights[:, n:n + fit.lags * k]
    constant, fixed = fit.weights[:, n + fit.lags * k], fit.weights[:, n + fit.lags * k + 1:]
    drive, A = np.hstack([fixed, lagged]), fit.A
    cell = {"weight_ih": np.vstack([drive, -drive]), "weight_hh": np.block([[A, -A], [-A, A]]),
            "bias_ih": np.concatenate([constant, -constant]), "bias_hh": np.zeros(2 * n)}
    readout = np.hstack([np.eye(k, n), -np.eye(k, n)])
    return (_recurrent(torch.nn.RNN, cell, nonlinearity="relu"), _dense(readout, np.zeros(k)),
            _dense(np.zeros((k, drive.shape[1])), np.zeros(k)))


def _gated(fit: FittedGated) -> tuple[Module, Module, Module]:
    import torch

    weights, units, k = fit.weights, fit.units, fit.series.k
    params = fit.params.to_numpy().T
    width, constant = weights["readout"].shape[1], int(fit.params.index[0] == "const")
    linear, readout = params[:, constant:params.shape[1] - width], params[:, params.shape[1] - width:]
    entering = weights["weight_ih"].shape[1]
    own = entering - (k if fit.lags else 0)
    skipped = units.input_scale.size - own
    scale = np.concatenate([units.input_scale[skipped:], units.scale if fit.lags else []])
    shift = np.concatenate([units.input_location[skipped:], units.location if fit.lags else []])
    over = weights["weight_ih"] / scale
    full = np.zeros((len(over), linear.shape[1]))     # the cell sees neither the trend nor later lags
    full[:, skipped:skipped + entering] = over
    cell = {"weight_ih": full, "bias_ih": weights["bias_ih"] - over @ shift,
            **{name: weights[name] for name in ("weight_hh", "bias_hh")}}
    kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[fit.spec.cell]  # type: ignore[attr-defined]
    offset = params[:, 0] if constant else np.zeros(k)
    return _recurrent(kind, cell), _dense(readout, np.zeros(k)), _dense(linear, offset)
