"""Processes that change regime: by their own past (threshold, smooth transition) or unseen (Markov)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from varnn.data.process import Process, at_rest, normal_shocks, process
from varnn.data.processes.linear import numbered

FloatArray = NDArray[np.float64]
LEE = ("Lee, T.-H., White, H. and Granger, C. W. J. (1993), Testing for neglected nonlinearity in time series "
       "models, Journal of Econometrics 56, 269–290")


def of_the_last_value(mean_of: Callable[[FloatArray], FloatArray], k: int, sd: float, burn: int = 100) -> Process:
    """Return y_t = m(y_{t−1}) + e_t with e_t ~ N(0, sd² I_k)."""

    def mean(state: FloatArray, t: int) -> FloatArray:
        return mean_of(state)

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        value = mean_of(state) + shock
        return value, value

    return Process(columns=numbered(k), mean=mean, step=step, shock=normal_shocks(k, sd), symmetric=True,
                   start=at_rest(k), burn=burn)


@process("tar", "threshold autoregression", citation=LEE)
def tar(*, inner: float = 0.9, outer: float = -0.3, threshold: float = 1.0, sd: float = 1.0) -> Process:
    """Return a self-exciting threshold autoregression.

    y_t = inner · y_{t−1} + e_t if |y_{t−1}| ≤ threshold, else outer · y_{t−1} + e_t
    """
    return of_the_last_value(lambda y: np.where(np.abs(y) <= threshold, inner, outer) * y, 1, sd)


@process("sgn", "sign autoregression", citation=LEE)
def sgn(*, sd: float = 1.0) -> Process:
    """Return the sign process, two noisy levels that persist.

    y_t = sign(y_{t−1}) + e_t
    """
    return of_the_last_value(np.sign, 1, sd)


@process("nar", "rational nonlinear autoregression", citation=LEE)
def nar(*, scale: float = 0.7, offset: float = 2.0, sd: float = 1.0) -> Process:
    """Return the nonlinear autoregression of Lee, White and Granger: hardly any room for a gain.

    y_t = scale · |y_{t−1}| / (|y_{t−1}| + offset) + e_t
    """
    return of_the_last_value(lambda y: scale * np.abs(y) / (np.abs(y) + offset), 1, sd)


@process("threshold_var", "two-regime threshold VAR(1) of two series", length=2000,
         citation="Tsay, R. S. (1998), Testing and modeling multivariate threshold models, "
                  "Journal of the American Statistical Association 93, 1188–1202")
def threshold_var(
    *,
    below: Sequence[Sequence[float]] = ((0.7, 0.2), (-0.3, 0.5)),
    above: Sequence[Sequence[float]] = ((-0.4, 0.3), (0.2, 0.6)),
    constants: Sequence[Sequence[float]] = ((-0.5, 0.3), (0.5, -0.3)),
    sd: float = 1.0,
) -> Process:
    """Return a VAR(1) whose coefficients depend on the sign of the first series.

    y_t = c_r + A_r y_{t−1} + e_t,  r = below if y_{1,t−1} ≤ 0, else above
    """
    low, high = np.asarray(below, dtype=np.float64), np.asarray(above, dtype=np.float64)
    low_constant, high_constant = (np.asarray(row, dtype=np.float64) for row in constants)

    def mean_of(y: FloatArray) -> FloatArray:
        return np.where(y[:, :1] <= 0, low_constant + y @ low.T, high_constant + y @ high.T)

    return of_the_last_value(mean_of, len(low), sd)


@process("smooth_transition", "logistic smooth-transition autoregression",
         citation="Teräsvirta, T. (1994), Specification, estimation, and evaluation of smooth transition "
                  "autoregressive models, Journal of the American Statistical Association 89, 208–218")
def smooth_transition(
    *, low: float = 0.9, high: float = -0.7, slope: float = 3.0, centre: float = 0.0, sd: float = 1.0
) -> Process:
    """Return an LSTAR(1): the coefficient slides from `low` to `high` as y_{t−1} rises.

    y_t = (low + (high − low) G) y_{t−1} + e_t,  G = 1/(1 + exp(−slope (y_{t−1} − centre)))
    """

    def mean_of(y: FloatArray) -> FloatArray:
        weight = 0.5 * (1 + np.tanh(0.5 * slope * (y - centre)))
        return (low + (high - low) * weight) * y

    return of_the_last_value(mean_of, 1, sd)


@process("regime_switching", "Markov-switching autoregression with two unseen regimes",
         citation="Hamilton, J. D. (1989), A new approach to the economic analysis of nonstationary time series "
                  "and the business cycle, Econometrica 57, 357–384")
def regime_switching(
    *,
    constants: Sequence[float] = (-0.8, 1.0),
    coefficients: Sequence[float] = (0.7, 0.2),
    stay: Sequence[float] = (0.9, 0.95),
    sd: float = 1.0,
) -> Process:
    """Return an AR(1) whose constant and slope follow a hidden two-state Markov chain.

    y_t = c_r + a_r y_{t−1} + e_t,  r = r_t,  P(r_t = r_{t−1}) = stay_r

    The oracle is Hamilton's filter with the true parameters: the regime is never shown, so
    E[y_t | past] = Σ_r P(r_t = r | past) (c_r + a_r y_{t−1}).
    State: y_{t−1}, the true regime r_t, and P(r_t = 1 | past).
    """
    c, a, keep = (np.asarray(pair, dtype=np.float64) for pair in (constants, coefficients, stay))

    def branches(state: FloatArray) -> FloatArray:
        return c + a * state[:, :1]  # (m, 2)

    def mean(state: FloatArray, t: int) -> FloatArray:
        both, upper = branches(state), state[:, 2:3]
        return (1 - upper) * both[:, :1] + upper * both[:, 1:]

    def step(state: FloatArray, shock: FloatArray, t: int) -> tuple[FloatArray, FloatArray]:
        both, regime, upper = branches(state), state[:, 1].astype(int), state[:, 2]
        value = both[np.arange(len(both)), regime] + shock[:, 0]
        density = np.exp(-0.5 * ((value[:, None] - both) / sd) ** 2)
        updated = upper * density[:, 1] / (upper * density[:, 1] + (1 - upper) * density[:, 0])
        forecast = updated * keep[1] + (1 - updated) * (1 - keep[0])
        stays = shock[:, 1] < keep[regime]
        following = np.where(stays, regime, 1 - regime)
        return value[:, None], np.column_stack([value, following, forecast])

    def shock(m: int, rng: np.random.Generator) -> FloatArray:
        return np.column_stack([sd * rng.standard_normal(m), rng.random(m)])

    share = (1 - keep[0]) / (2 - keep[0] - keep[1])

    def start(m: int, rng: np.random.Generator) -> FloatArray:
        return np.column_stack([np.zeros(m), rng.random(m) < share, np.full(m, share)])

    def belief(state: FloatArray, rng: np.random.Generator) -> FloatArray:
        return np.column_stack([state[:, 0], rng.random(len(state)) < state[:, 2], state[:, 2]])

    return Process(columns=("y",), mean=mean, step=step, shock=shock, start=start, belief=belief)
