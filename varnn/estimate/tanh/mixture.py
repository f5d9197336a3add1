"""A mixture of fitted recursions at work: filtering, paths, means, posterior draws, weights in the user's units.

Called by `models.rung3_tanh`.  Members weigh what the evidence gave them times how well they predicted lately.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from varnn.deferred import need
from varnn.errors import ParameterError
from varnn.estimate.least_squares.regression import Trend, regressor_names
from varnn.estimate.linear.maximum_likelihood import LinearEstimate
from varnn.estimate.linear.units import Units
from varnn.estimate.numerics.stop import Stop
from varnn.estimate.tanh.design import Array, Design
from varnn.estimate.tanh.evidence import prior
from varnn.estimate.tanh.gauss_newton import FLAT, Groups, Optimum, Prior
from varnn.estimate.tanh.kernels import believed
from varnn.estimate.tanh.paths import Layout, simulate
from varnn.estimate.tanh.structure import Data, Member, design

FORGETTING = 0.9        # a prediction s steps ago counts 0.9^s: a member that got lost loses its vote in a few steps
TAILS = 20.0            # ν of the votes: nearly Gaussian, but no single row outweighs the ten that are remembered
DISTINCT_DRAWS = 100    # posterior draws; each runs its own filter, and paths share them
LONGEST_MEMORY = 2000   # rows that a draw re-filters


@dataclass(frozen=True, eq=False)
class Particle:
    """Weights of one member, or of one draw around it, with the state of its filter at the end of the data."""

    member: int
    theta: Array
    Y: Array      # last observations, newest first (rows, k)
    F: Array      # last feedback, newest first (rows, k)
    s: Array
    u: Array
    weight: float


Particles = tuple[Particle, ...]


class TorchParts(NamedTuple):
    """A network as torch modules; the forecast of x (T, q) is ``readout(rnn(x)[0]) + linear(x)``."""

    rnn: Any
    readout: Any
    linear: Any


def one_step(members: Sequence[Member], data: Data) -> tuple[Array, Array]:
    """Return one-step forecasts (T, k), NaN in the presample, and the members' weights after the last row."""
    forecasts, votes = weighed(members, data)
    out = np.full(data.Y.shape, np.nan)
    out[len(out) - forecasts.shape[1]:] = np.einsum("jt,jtk->tk", votes[:, :-1], forecasts)
    return out, votes[:, -1]


def weighed(members: Sequence[Member], data: Data) -> tuple[Array, Array]:
    """Return each member's forecasts (J, T − p, k), p the longest presample, and weights (J, T − p + 1) for each row.

    Weights follow dynamic model averaging: w_{j,t} ∝ w_j exp(Σ_s λ^{s-1} ln p_j(y_{t-s})), p_j Student's t with ν
    degrees of freedom: a filter that got lost loses its vote in a few steps, one odd row does not take it.

    References
    ----------
    Raftery, Karny and Ettler (2010), Online prediction under model uncertainty, Technometrics 52.
    """
    T, k = data.Y.shape
    begin = max(member.presample for member in members)
    forecasts, logs = np.zeros((len(members), max(T - begin, 0), k)), np.zeros((len(members), max(T - begin, 0)))
    for j, member in enumerate(members):
        if begin < T:
            forecasts[j] = member.over(data).run(member.optimum.theta)[1][begin - member.presample :, :k]
        if begin < T and not member.driven:  # forecasts from inputs alone use no observation, nor do their weights
            error, precision = data.Y[begin:] - forecasts[j], np.linalg.inv(member.optimum.sigma)
            sizes = np.einsum("ti,ij,tj->t", error, precision, error)
            logs[j] = 0.5 * np.linalg.slogdet(precision)[1] - 0.5 * (TAILS + k) * np.log1p(sizes / TAILS)
    prior_weights = np.array([member.weight for member in members])
    recent = lfilter([1.0], [1.0, -FORGETTING], logs, axis=1)                              # (members, T), with row t
    votes = np.log(prior_weights)[:, None] + np.hstack([np.zeros((len(members), 1)), recent])
    votes = np.exp(votes - votes.max(axis=0))
    votes /= votes.sum(axis=0)
    return forecasts, votes


def ends(members: Sequence[Member], data: Data) -> Particles:
    """Return the members with their filters run to the end of the data and their present weights."""
    _, votes = one_step(members, data)
    return tuple(_end(j, member, member.over(data), data, member.optimum.theta, float(votes[j]))
                 for j, member in enumerate(members))


def _end(number: int, member: Member, shape: Design, data: Data, theta: Array, weight: float) -> Particle:
    """Run a member's recursion, `shape`, to the end of `data` with weights theta."""
    back, k = max(member.presample, shape.r, shape.rl), shape.k
    Y, F, known = np.zeros((back, k)), np.zeros((back, k)), min(back, len(data.Y))
    Y[:known] = data.Y[len(data.Y) - known :][::-1]
    if shape.static:  # nothing is remembered but Y
        return Particle(number, theta, Y, F, np.zeros(shape.n), shape.start, weight)
    S, U = shape.run(theta)
    if shape.r or shape.rl:
        heard = min(back, len(U))
        F[:heard] = believed((shape.base - U[:, :k])[len(U) - heard :])[::-1]
    s = S[-1].copy() if len(S) else np.zeros(shape.n)
    return Particle(number, theta, Y, F, s, U[-1].copy() if len(U) else shape.start.copy(), weight)


def paths(members: Sequence[Member], particles: Particles, trend: Array, Z: Array, shocks: Array, *, cycle: bool
          ) -> Array:
    """Run shocks (M, h, k) in standard units through the particles: path i through particle i mod d, or by weight."""
    M, h, _ = shocks.shape
    if cycle:
        owner = np.arange(M) % len(particles)
    else:
        total = np.cumsum([particle.weight for particle in particles])
        owner = np.minimum(np.searchsorted(total, (np.arange(M) + 0.5) / M * total[-1]), len(particles) - 1)
    out, heard, whole = np.empty(shocks.shape), np.hstack([np.ones((h, 1)), Z]), np.hstack([trend, Z])
    rows = [np.flatnonzero(owner == number) for number in range(len(particles))]
    for member, alike in _alike(members, particles, rows):
        group, shape = [particles[number] for number in alike], member.optimum.design
        mine = np.stack([rows[number] for number in alike])
        layout = Layout(shape.r, shape.rl, shape.ar, shape.recurrent, member.lags, member.lags_tanh)
        L, W, G = map(np.stack, zip(*(shape.matrices(one.theta) for one in group), strict=True))
        Y, F, s, u = map(np.stack, zip(*((one.Y, one.F, one.s, one.u) for one in group), strict=True))
        out[mine] = simulate(L, W, G, layout, whole if member.skip else trend, heard, Y, F, s, u,
                             0.0 if member.driven else 1.0, shocks[mine], member.bounds)
    return out


def _alike(members: Sequence[Member], particles: Particles, rows: list[Groups]) -> Iterator[tuple[Member, list[int]]]:
    """Yield the particles of each member that have as many paths, and that member."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, (particle, mine) in enumerate(zip(particles, rows, strict=True)):
        if len(mine):
            groups.setdefault((particle.member, len(mine)), []).append(number)
    for (member, _), numbers in groups.items():
        yield members[member], numbers


def mean_path(members: Sequence[Member], particles: Particles, trend: Array, Z: Array, pairs: int) -> Array:
    """Return the mean forecast (h, k): members' averages over mirrored Gaussian shocks, exact where they are linear."""
    h = len(trend)
    mean = np.zeros((h, particles[0].Y.shape[1] or len(members[0].optimum.sigma)))
    for particle in particles:
        if particle.weight < 1e-9:
            continue
        optimum = members[particle.member].optimum
        alone = (replace(particle, weight=1.0),)
        k = optimum.design.k
        if optimum.design.n == 0 or h == 1:
            shocks = np.zeros((1, h, k))
        else:
            half = np.random.default_rng(0).standard_normal((pairs, h, k)) @ np.linalg.cholesky(optimum.sigma).T
            shocks = np.concatenate([half, -half])
        mean += particle.weight * paths(members, alone, trend, Z, shocks, cycle=False).mean(axis=0)
    return mean


def draw(members: Sequence[Member], data: Data, particles: Particles, rows: int, count: int, seed: int,
         rng: np.random.Generator) -> tuple[Array, Particles]:
    """Draw covariances and weights from the posterior: a member by its present weight, its weights by Laplace.

    The weights of each member are drawn with `seed`, once for the fit; which of them are called for, and the
    covariances, come from `rng`.

    Returns
    -------
    array (d, k, k), tuple of Particle         in standard units
    """
    votes = np.array([particle.weight for particle in particles])
    number, k = min(count, DISTINCT_DRAWS), data.Y.shape[1]
    owners = rng.choice(len(members), size=number, p=votes / votes.sum())
    lower = np.tril(rng.standard_normal((number, k, k)), -1)
    recent = Data(data.Y[-LONGEST_MEMORY:], data.trend[-LONGEST_MEMORY:], data.Z[-LONGEST_MEMORY:])
    roots, ends = np.empty((number, k, k)), {}
    for owner in np.unique(owners).tolist():
        member, mine = members[owner], np.flatnonzero(owners == owner)
        optimum = member.optimum
        df = max(int(rows - optimum.effective / k), k + 1)
        lower[mine[:, None], np.arange(k), np.arange(k)] = np.sqrt(rng.chisquare(df + k - 1 - np.arange(k),
                                                                                 size=(len(mine), k)))
        roots[mine] = np.linalg.cholesky(optimum.sigma * df)
        # A recurrent unit can keep time (the season of weekly CO₂ did) and must be run from where it was set.
        run_over = data if optimum.design.recurrent else recent
        shape = member.over(run_over)
        for place, theta in zip(mine.tolist(), member.weight_draws.first(len(mine), seed), strict=True):
            ends[place] = _end(owner, member, shape, run_over, theta, 1.0)
    roots = roots @ np.swapaxes(np.linalg.inv(lower), 1, 2)
    return roots @ np.swapaxes(roots, 1, 2), tuple(ends[place] for place in range(number))


def lifted(data: Data, weights: Array, sigma: Array, lags: int, width: int, rng: np.random.Generator) -> Member:
    """Return a linear RNN [A | B_1 … B_p | c | D] as a member with tanh units whose read-out is zero."""
    k, m = data.Y.shape[1], len(weights)
    flat = data.trend.shape[1]
    A, B = weights[:, :m], weights[:, m : m + lags * k]
    constant, others = weights[:, m + lags * k : m + lags * k + 1], weights[:, m + lags * k + 1 :]
    L = np.hstack([*([constant] if flat else []), others, B, A])
    shape = design(data, lags, lags, width, 0, 0, first=lags)
    shape = replace(shape, ar=True, start=np.zeros(m))
    G = rng.normal(size=(width, shape.width_G)) / np.sqrt(max(shape.width_G, 1))
    theta = np.concatenate([L.ravel(), np.zeros(m * width), G.ravel()])
    shrink = prior(shape)
    count = len(shrink.names)
    optimum = Optimum(shape, shrink, theta, sigma, np.ones(count), np.zeros(count), 0.0, np.eye(shape.size) * 1e12,
                      np.zeros((shape.rows, k)), Stop.closed_form, 0)
    member = Member(optimum, lags, lags, True, False, 0.0, 1.0)
    shape = member.over(data)
    _, U = shape.run(theta)
    return replace(member, optimum=replace(optimum, design=shape, resid=shape.Y - U[:, :k]))


def linear_member(data: Data, estimate: LinearEstimate, lags: int, widening: float) -> Member:
    """Return a fitted linear RNN of width k as a member without tanh units, its memory as innovations fed back.

    u_t = A u_{t-1} + B x_t is u_t = Φ x_t + M e_{t-1} with Φ_1 = B_1 + A and M = -A; row by row the weights are
    w T, so that information becomes T⁻¹ H T⁻ᵀ. Covariances are `widening` times those at the optimum.
    """
    k, weights = data.Y.shape[1], estimate.weights
    memory = bool(weights[:, :k].any())
    flat, tail = data.trend.shape[1], k + lags * k
    order = [*([tail] if flat else []), *range(tail + 1, weights.shape[1]), *range(k, tail)]
    T = np.zeros((weights.shape[1], len(order) + k * memory))
    T[order, np.arange(len(order))] = 1.0
    if memory:
        first_lag = len(order) - lags * k
        T[:k, first_lag : first_lag + k] = np.eye(k)
        T[:k, len(order) :] = -np.eye(k)
    information = estimate.information
    if information.size:
        turn = np.kron(np.eye(k), np.linalg.inv(T[estimate.free[0]]))
        information = turn @ information @ turn.T / widening
    shape = design(data, lags, 0, 0, 0, int(memory), first=lags)
    column = np.arange(T.shape[1])
    groups = np.where(column < flat, -1, (column >= len(order)).astype(np.intp))
    shrink = Prior(np.zeros(shape.size), np.tile(groups, k), ("B", "A")[: 1 + memory])
    of_B = max(float(np.nan_to_num(estimate.determined)) - flat * k, 0.0)
    gamma = np.array([of_B, sum(estimate.effective.values())][: 1 + memory])
    theta = (weights @ T).ravel()
    _, U = shape.run(theta)
    optimum = Optimum(shape, shrink, theta, estimate.sigma * widening, np.full(len(gamma), FLAT), gamma,
                      estimate.evidence, information, (shape.Y - U[:, :k])[shape.first :], estimate.stop,
                      estimate.steps)
    return Member(optimum, lags, 0, True, False, estimate.evidence, 1.0)


def blocks(member: Member, units: Units, names: list[str], others: list[str], trend: Trend) -> dict[str, pd.DataFrame]:
    """Return the weights of a member by block in the units of the series, rows units and columns what they see."""
    optimum = member.optimum
    shape, cut = optimum.design, optimum.design.cuts(optimum.theta)
    m, k, lags, flat = shape.m, shape.k, member.lags, shape.flat
    states = names + [f"hidden{i + 1}" for i in range(m - k)]
    tanh = [f"unit{i + 1}" for i in range(shape.n)]
    fixed, qL = shape.fixed, shape.XL.shape[1]
    A, B = np.zeros((m, m)), cut.L[:, fixed:qL].copy()
    if shape.ar:
        A = cut.Lu.copy()
    elif shape.rl:
        A[:, :k] = -cut.Lf[:, :k]
        if not member.driven and lags:
            B[:, :k] += cut.Lf[:, :k]
    constant = cut.L[:, :1] if flat else np.zeros((m, 1))
    inputs = cut.L[:, 1 if flat else 0 : fixed]
    q = inputs.shape[1]
    seen = replace(units, input_origin=units.input_origin[:q], input_rest=units.input_rest[:q],
                   input_scale=units.input_scale[:q])
    linear, _ = seen.weights(np.hstack([A, B, constant, inputs]), lags)
    at = m + lags * k
    order = [*([at] if flat else []), *range(at + 1, linear.shape[1]), *range(m, at)]
    inner = others if member.skip else []
    rows = np.concatenate([units.scale, np.ones(m - k)])
    slope = 1 if trend == "ct" else 0
    divide = np.concatenate([np.ones(1), units.input_scale[slope:], np.tile(units.scale, member.lags_tanh)])
    shift = np.concatenate([np.zeros(1), units.input_location[slope:], np.tile(units.location, member.lags_tanh)])
    X = cut.G[:, : shape.XH.shape[1]] / divide
    X[:, 0] -= X @ shift
    heard = ["const", *others, *(f"L{i + 1}.{name}" for i in range(member.lags_tanh) for name in names)]
    kind = "forecast" if member.driven else "innovation"
    fed = [f"L{i + 1}.{kind}.{name}" for i in range(shape.r) for name in names]
    Gf = cut.Gf / np.tile(units.scale, shape.r) * (-1.0 if member.driven else 1.0)
    Gs = cut.Gs if shape.recurrent else np.zeros((shape.n, shape.n))
    return {"A": pd.DataFrame(linear[:, :m], states, states),
            "B": pd.DataFrame(linear[:, order], states, regressor_names(names, lags, trend if flat else "n", inner)),
            "W_hy": pd.DataFrame(rows[:, None] * cut.W, states, tanh), "W_xh": pd.DataFrame(X, tanh, heard),
            "W_eh": pd.DataFrame(Gf, tanh, fed), "W_hh": pd.DataFrame(Gs, tanh, tanh)}


def spreads(member: Member, units: Units, names: list[str], others: list[str], trend: Trend) -> dict[str, pd.DataFrame]:
    """Return the posterior standard deviations of the weights of a member, laid out as in `blocks`.

    Weights in the units of the series are affine in theta, w = w_0 + J theta, so that their covariance is J H⁻¹ J'.
    """
    optimum = member.optimum

    def at(theta: Array) -> dict[str, pd.DataFrame]:
        return blocks(replace(member, optimum=replace(optimum, theta=theta)), units, names, others, trend)

    zero = at(np.zeros_like(optimum.theta))
    moves = [at(one) for one in np.eye(len(optimum.theta))[: optimum.design.free]]
    out = {}
    for name, table in zero.items():
        J = np.stack([(move[name] - table).to_numpy().ravel() for move in moves])                  # (P, cells)
        variances = np.einsum("pc,pq,qc->c", J, optimum.covariance, J, optimize=True)
        out[name] = pd.DataFrame(np.sqrt(np.maximum(variances, 0.0)).reshape(table.shape), table.index, table.columns)
    return out


def equations(parts: dict[str, pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Return what the equations read of `blocks` or `spreads`, one column for each series."""
    k = len(names)
    read = [parts["B"].iloc[:k], parts["A"].iloc[:k].add_prefix("memory."), parts["W_hy"].iloc[:k]]
    return pd.concat([part.T for part in read if part.shape[1]]).set_axis(names, axis=1)


def to_torch(member: Member, units: Units) -> TorchParts:
    """Return a member without feedback as torch modules in the units of the series."""
    need("torch", "to_torch", "torch")
    import torch

    shape = member.optimum.design
    if shape.r or shape.rl or shape.ar or not shape.n:
        raise ParameterError("only tanh units without feedback of innovations are a torch.nn.RNN; this fit has "
                             f"{shape.n} units and feeds back {max(shape.r, shape.rl)} innovations; use skip=False")
    names = [f"y{i}" for i in range(shape.k)]
    others = [f"z{i}" for i in range(shape.fixed_H - 1)]
    slope = shape.flat > 1
    part = blocks(member, units, names, others, "ct" if slope else ("c" if shape.flat else "n"))
    q, n, k = shape.XH.shape[1] - 1, shape.n, shape.k
    rnn: Any = torch.nn.RNN(q, n, nonlinearity="tanh", batch_first=True, dtype=torch.float64)
    readout, linear = torch.nn.Linear(n, k, dtype=torch.float64), torch.nn.Linear(q, k, dtype=torch.float64)
    X, B = part["W_xh"].to_numpy(), part["B"]
    full = np.zeros((k, q))
    for column, name in enumerate(part["W_xh"].columns[1:]):
        if name in B.columns:
            full[:, column] = B[name]
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.tensor(X[:, 1:]))
        rnn.bias_ih_l0.copy_(torch.tensor(X[:, 0]))
        rnn.weight_hh_l0.copy_(torch.tensor(part["W_hh"].to_numpy()))
        rnn.bias_hh_l0.zero_()
        readout.weight.copy_(torch.tensor(part["W_hy"].to_numpy()))
        readout.bias.copy_(torch.tensor(B["const"].to_numpy() if "const" in B.columns else np.zeros(k)))
        linear.weight.copy_(torch.tensor(full))
        linear.bias.zero_()
    return TorchParts(rnn, readout, linear)


def free_run_error(member: Member, data: Data, *, horizon: int = 40, origins: int = 12) -> float:
    """Return the geometric mean over origins of the root mean square error of free runs inside the training data."""
    shape, (T, k) = member.optimum.design, data.Y.shape
    horizon = min(horizon, data.shortest // 4)
    starts = np.linspace(member.presample, T - horizon, origins).astype(int)
    if data.lengths:  # the ends of some of the series
        horizon = min(horizon, data.shortest - member.presample)
        starts = (np.cumsum(data.lengths) - horizon)[np.linspace(0, len(data.lengths) - 1, origins).astype(int)]
    still = np.zeros((1, horizon, k))
    errors = []
    for start in starts:
        rows, back = slice(start, start + horizon), slice(start - member.presample, start)
        past = np.ascontiguousarray(data.Y[back][::-1])
        begun = Particle(0, member.optimum.theta, past, np.zeros_like(past), np.zeros(shape.n), np.zeros(shape.m), 1.0)
        path = paths((member,), (begun,), data.trend[rows], data.Z[rows], still, cycle=False)
        error = np.sqrt(np.mean((path[0] - data.Y[rows]) ** 2))
        errors.append(np.log(error + 1e-300) if np.isfinite(error) else np.inf)
    return float(np.mean(errors))
