"""The automatic tanh fit: lags, feedback, width, memory, prior and start chosen by the evidence on the training data.

Called by `models.rung3_tanh`.  Returns a small mixture of optima with posterior weights; never reads beyond its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from varnn.estimate.numerics.covariance import whitener
from varnn.estimate.tanh.bounds import Bounds
from varnn.estimate.tanh.design import Array
from varnn.estimate.tanh.evidence import (
    POSITIVE,
    Kind,
    forgets,
    log_evidence,
    mixture_weights,
    paired_gain,
    prior,
    units_used,
)
from varnn.estimate.tanh.extrapolation import calmed
from varnn.estimate.tanh.gauss_newton import LARGEST, Optimum, Prior, fit
from varnn.estimate.tanh.mixture import free_run_error
from varnn.estimate.tanh.starts import grow, smooth
from varnn.estimate.tanh.structure import Data, Member, Space, design

WORKERS = 2        # threads, where numpy's overhead, which they cannot share, is small beside its work
WORTH_THREADS = 3000  # observations from which that is so
SURE = 2.0         # t statistic that tanh units must reach to be kept (evidence.paired_gain)
LEVEL, STRICT = 0.05, 0.01  # p-values of a linearity test that speak for units which are ahead, or not, in evidence
VERY_STRONG = 5.0  # nats against a structure at which no test speaks for it (Kass and Raftery 1995)
TEMPERATURE = 2.0  # Laplace evidences are good to a nat or two; measured on anchors §1
SAFETY = 0.02      # weight of the linear rung in a mixture of tanh units, which takes over if their filters get lost
NOISELESS = 0.05   # share of the linear rung's error variance left at which smooth random units are tried
EXACT = 1e-3       # error variance of the linear rung, in units of the series', at which they are tried at once
UNFREEZE = 450     # most weights that are refined once random units were frozen
EXACT_GAIN = 50.0  # nats over the linear rung at which nothing else is tried then
LARGEST_SEARCHED = 500  # weights of the tanh units beyond which no wider network is tried
SHORT = 6          # steps of the first climb of every structure
LONG = 120         # of the best one's climb while its free runs are bounded
WARM_UP = 50       # rows that a recursion driven by inputs alone is not judged by
HEAVY = 3e8        # T·k·P² from which on fewer structures are tried
MANY = 600         # weights of a VAR beyond which not every order is tried
COARSE = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_evidence = attrgetter("evidence")


def certain() -> float:
    """Return 1, the p-value where nothing was tested."""
    return 1.0


def rated(optimum: Optimum | None) -> float:
    """Return the log evidence, minus infinity for a fit that diverged or whose filter does not forget."""
    return log_evidence(optimum) if optimum is not None and forgets(optimum) else -np.inf


@dataclass(frozen=True, eq=False)
class Found:
    """What a search ends with.

    members : tuple of Member    sorted by weight, which sums to 1; width 0, the linear rungs, where tanh units do not
                                 pay and `width` is free
    rungs : dict                 best log evidence of each rung tried, all on the same rows
    certainty : float            largest t statistic of a tanh structure against the linear rungs, see
                                 `evidence.paired_gain`; 0 where the evidence is for none
    """

    members: tuple[Member, ...]
    rungs: dict[str, float]
    certainty: float = 0.0


def search(data: Data, space: Space, rng: np.random.Generator, linearity: Callable[[], float] = certain) -> Found:
    """Choose among structures by the evidence and return the best as a mixture.

    Parameters
    ----------
    data : Data
    space : Space
    rng : Generator
    linearity : callable
        Gives the p-value of a test that the data are linear. Asked where no structure of tanh units surely predicts
        better, which few rows rarely show of a single one.

    Returns
    -------
    Found
    """
    driven = space.lags == 0
    first = min(space.max_lags if space.lags is None else space.lags, len(data.Y) // 3)
    if driven:  # the state before the first row is unknown, and forecasts are fed back: its trace has to fade
        first = min(WARM_UP, data.shortest // 10)
    linear, first = _linear(data, space, first, driven) if space.skip else ([], first)
    bent = _bent(data, space, first, driven, linear, rng) if space.width != 0 else []
    bent = [_fenced(member, data, linear, first) for member in bent]
    rungs = {name: max(member.evidence for member in found) for name, found in (
        ("VAR", [member for member in linear if not member.optimum.design.rl]),
        ("LinearRNN", [member for member in linear if member.optimum.design.rl]), ("TanhRNN", bent))
        if any(np.isfinite(member.evidence) for member in found)}
    if not bent:
        return Found(_mixture(linear), rungs)
    if not space.skip:
        return Found((replace(max(bent, key=_evidence), weight=1.0),), rungs)
    if space.width is not None:
        best = max(linear, key=_evidence)
        linear = [_dormant(data, best, space.width, first, best.lags <= space.with_memory, rng)]
    below = max(linear, key=_evidence)
    ahead = [member for member in bent if member.evidence > below.evidence + POSITIVE]
    gains = [paired_gain(below.optimum.loo, member.optimum.loo, below.optimum.sigma) for member in bent]
    gain = max((its for member, its in zip(bent, gains, strict=True) if member in ahead), default=0.0)
    if gain <= SURE and linearity() > (LEVEL if gain > 0.0 else STRICT):
        return Found(_mixture(linear), rungs, gain)
    possible = below.evidence - VERY_STRONG  # where units pay, the average over all that may be right does
    kept = [member for member, its in zip(bent, gains, strict=True) if its > 0.0 and member.evidence > possible]
    if not kept:
        return Found(_mixture(linear), rungs, gain)
    if driven:  # no observation ever tells which member is right
        return Found(_mixture(kept), rungs, gain)
    mixed = (replace(member, weight=(1 - SAFETY) * member.weight) for member in _mixture(kept))
    return Found((*mixed, replace(below, weight=SAFETY)), rungs, gain)


def surely_better(found: Found, below: Member, left_out: Array, linearity: Callable[[], float]) -> Found:
    """Return what surely predicts better than the linear RNN, with that at their side; no member where nothing does.

    The linear rungs of a search have its own candidate lags and its own prior; this is the rung that a user fits.

    Parameters
    ----------
    found : Found
    below : Member           the linear RNN
    left_out : array (r, k)  its residuals with each date left out, standard units, the last rows of the sample
    linearity : callable     as for `search`
    """
    bent = [member for member in found.members if member.optimum.design.n]
    gains = []
    for member in bent:
        rows = min(len(left_out), len(member.optimum.loo))
        gains.append(paired_gain(left_out[-rows:], member.optimum.loo[-rows:], below.optimum.sigma))
    largest = max(gains, default=0.0)
    opened = largest > SURE or (largest > 0.0 and linearity() <= LEVEL)
    kept = [member for member, gain in zip(bent, gains, strict=True) if opened and gain > 0.0]
    total = sum(member.weight for member in kept)
    mixed = [replace(member, weight=(1 - SAFETY) * member.weight / total) for member in kept]
    return Found((*mixed, replace(below, weight=SAFETY)) if kept else (), found.rungs, min(found.certainty, largest))


def _mixture(members: Iterable[Member]) -> tuple[Member, ...]:
    members = list(members)
    members = _top(members, len(members))
    weights = mixture_weights([member.evidence for member in members], temperature=TEMPERATURE, least=0.02)
    kept = [replace(member, weight=float(weight)) for member, weight in zip(members, weights, strict=True) if weight]
    return tuple(sorted(kept, key=lambda member: -member.weight))


def _linear(data: Data, space: Space, first: int, driven: bool) -> tuple[list[Member], int]:
    """Fit rungs 1 and 2 with the same evidence, and return them and the first row that counts.

    Where at most half of the lags are called for, the rows that only longer ones need count as well.
    """
    more = [first // 2] if space.lags is None else []

    def short(found: list[Member]) -> bool:
        return bool(more) and max(found, key=_evidence).lags <= more[0]

    while True:
        found = _plain(data, space, first, driven)
        if not short(found):
            found += _remembering(data, space, first, driven, found)
        if not short(found):
            return found, first
        first = more.pop()


def _plain(data: Data, space: Space, first: int, driven: bool) -> list[Member]:
    """Fit every lag without memory; where weights are many 0, 1, 2, 3, 4, 6, 8, 12, …, then beside the best."""
    least, weights = int(not data.trend.shape[1]), first * data.Y.shape[1] ** 2
    orders = [space.lags] if space.lags is not None else list(range(least, first + 1))
    fresh = orders if weights <= MANY else [p for p in orders if p in (*COARSE, first)]
    found: list[Member] = []
    while fresh:
        found += _map(lambda p: _linear_member(data, p, 0, first, driven), fresh, data)
        best, tried = max(found, key=_evidence).lags, sorted(member.lags for member in found)
        at = tried.index(best)
        between = {(best + other) // 2 for other in tried[max(at - 1, 0) : at + 2]}
        fresh = sorted(between - set(tried))
    return found


def _remembering(data: Data, space: Space, first: int, driven: bool, plain: list[Member]) -> list[Member]:
    """Fit the best lags, and few, with memory."""
    best, lags = max(plain, key=_evidence).lags, {member.lags for member in plain}
    beside = {best, max(best - 1, 1), 1, 2} if best <= space.with_memory else {space.with_memory}
    memory = [0] if driven else sorted(beside & set(range(min(lags), max(lags) + 1)))
    return _map(lambda p: _linear_member(data, p, 1, first, driven), memory, data)


def _linear_member(data: Data, lags: int, rl: int, first: int, driven: bool) -> Member:
    shape = design(data, lags, 0, 0, 0, rl, first=first, driven=driven)
    shrink = prior(shape)
    optimum = fit(shape, shrink, np.zeros(shape.size), np.ones(len(shrink.names)), steps=60)
    return Member(optimum, lags, 0, True, driven, rated(optimum))  # type: ignore[arg-type]


def _bent(data: Data, space: Space, first: int, driven: bool, linear: list[Member], rng: np.random.Generator
          ) -> list[Member]:
    """Race tanh structures: short climbs for all, longer ones for the best, both priors to the end for the winners."""
    plain = [member for member in linear if not member.optimum.design.rl]
    lags = max(linear, key=_evidence).lags if linear else (space.lags if space.lags is not None else 1)
    forgetful = bool(plain) and max(plain, key=_evidence).lags > space.with_memory
    if forgetful:  # so many lags that only structures without memory are tried
        lags = max(plain, key=_evidence).lags
    if not driven:
        lags = max(lags, 1)
    k = data.Y.shape[1]
    seen = sorted({1, 2, lags} if space.lags is None else {1, lags}) if lags else [0]
    seen = [p for p in seen if p <= max(first, 1) and p * k <= 24] or [min(lags, 1)]
    feedback = (0, 2) if space.skip and not driven else ((0, 1) if space.skip else (0,))
    widths = (1, 3, 6) if space.width is None else (space.width,)
    weights = k * (1 + k * lags) + max(widths) * (1 + k * (max(seen) + 3))
    heavy = forgetful or len(data.Y) * k * weights**2 > HEAVY
    if heavy:
        seen, feedback, widths = seen[:1], feedback[:1], widths[-1:]
    free = space.skip and space.width is None
    if free and _noise(max(linear, key=_evidence).optimum.sigma) < EXACT:
        gentle = _smooth(data, first, driven, lags, sorted({*seen, lags}), rng)
        if gentle and max(gentle, key=_evidence).evidence > max(linear, key=_evidence).evidence + EXACT_GAIN:
            return _finest(gentle, data, linear, first)
    starts = [(p, r, seed) for p in seen for r in feedback for seed in range(1 if heavy else space.starts)]
    seeds = rng.spawn(len(starts))
    if space.skip:
        below = {r: _below(data, linear, lags, int(r > 0), first, driven) for r in feedback}
    else:
        level = design(data, 0, 0, 0, 0, 0, first=first, skip=False)
        below = {0: fit(level, prior(level), np.zeros(level.size), np.ones(0), steps=4)}

    def begin(task: tuple[tuple[int, int, int], np.random.Generator]) -> list[Member]:
        (p, r, _), generator = task
        return _begin(data, space, first, driven, below[r], lags, p, r, widths, generator)

    pool = [member for members in _map(begin, list(zip(starts, seeds, strict=True)), data) for member in members]
    if not pool:
        return []
    longest = _by_width(pool)[0][0]
    if free and below[0] is not None and _noise(longest.optimum.sigma) < NOISELESS * _noise(below[0].sigma):
        gentle = _smooth(data, first, driven, lags, sorted({*seen, lags}), rng)
        if gentle and max(gentle, key=_evidence).evidence > longest.evidence:
            return _finest(gentle, data, linear, first)
    if space.width is None and units_used(longest.optimum) >= widths[-1] - 1:
        wide: tuple[int, ...] = (2 * widths[-1], 4 * widths[-1]) if len(data.Y) >= 400 else (2 * widths[-1],)
        shape = longest.optimum.design
        wide = tuple(n for n in wide if n * (shape.XH.shape[1] + k * shape.r + n) <= LARGEST_SEARCHED) or widths[-1:]
        chosen = (longest.lags_tanh, shape.r)
        pool += _begin(data, space, first, driven, below[chosen[1]], lags, *chosen, wide, rng)
    heavy = heavy or len(data.Y) * k * _by_width(pool)[0][0].optimum.design.size ** 2 > HEAVY / 4
    best = _leading(pool, heavy)
    other = [(group[0], not group[0].optimum.design.recurrent, group[0].lags) for group in _by_width(best)
             if not forgetful]
    if space.lags is None:  # what was nonlinear may have looked like long lags
        other += [(member, member.optimum.design.recurrent, 1) for member in best if member.lags > 1 and not driven]
    best = _leading(best + _map(lambda task: _continue(task[0], None, 15, task[1], lags=task[2]), other, data), heavy)
    last = 120 if len(data.Y) * k * _by_width(best)[0][0].optimum.design.size ** 2 <= HEAVY else 40
    polished = _map(lambda task: _continue(task[0], task[1], last, task[0].optimum.design.recurrent),
                    [(member, kind) for member in best for kind in (("unit",) if heavy else ("unit", "sparse"))], data)
    if space.skip and not driven:
        polished = _map(lambda member: _settled(member, data, linear, first), polished, data)
    return [member for member in polished if np.isfinite(member.evidence)]


def _bounded(member: Member, data: Data, linear: list[Member], first: int, *, steps: int = 12) -> Member:
    """Return the member with free runs as bounded as those of the rung below."""
    below = _below(data, linear, member.lags, member.optimum.design.rl, first, member.driven)
    if below is None or not np.isfinite(member.evidence):
        return member
    calm = calmed(member.optimum, below, steps)
    if calm is member.optimum:
        return member
    return replace(member, optimum=calm or member.optimum, evidence=rated(calm), bounding=True)


def _settled(member: Member, data: Data, linear: list[Member], first: int) -> Member:
    """Return the member with bounded free runs, given more time where a short climb does not settle it."""
    bounded = _bounded(member, data, linear, first)
    return bounded if bounded.optimum.stop.converged else _bounded(member, data, linear, first, steps=LONG)


def _fenced(member: Member, data: Data, linear: list[Member], first: int) -> Member:
    """Return the member with bounds to its paths, where it has tanh units beside lags of its own."""
    if not member.optimum.design.n or not member.skip or member.driven or member.bounds is not None:
        return member
    below = _below(data, linear, member.lags, 0, first, member.driven)
    if below is None:
        return member
    return replace(member, bounds=Bounds.of(member.optimum, below, data.Y, member.lags))


def _dormant(data: Data, member: Member, width: int, first: int, recurrent: bool, rng: np.random.Generator) -> Member:
    """Return a linear fit with tanh units whose read-out is zero, and as precisely zero as a prior can make it."""
    old = member.optimum
    shape = design(data, member.lags, min(member.lags, 1), width, 0, old.design.rl, first=first, recurrent=recurrent,
                   driven=member.driven)
    G = rng.normal(size=(width, shape.width_G)) / np.sqrt(shape.width_G)
    theta = np.concatenate([old.theta, np.zeros(shape.m * width), G.ravel()])
    shrink = prior(shape)
    known = dict(zip(old.prior.names, old.alpha, strict=True))
    guess = np.where([name.startswith("W_hy") for name in shrink.names], LARGEST, 1.0)
    alpha = np.array([known.get(name, value) for name, value in zip(shrink.names, guess, strict=True)])
    optimum = fit(shape, shrink, theta, alpha, sigma=old.sigma, steps=3, hold=99)
    assert optimum is not None  # it starts where the linear fit ended
    return replace(member, optimum=replace(optimum, stop=old.stop), lags_tanh=min(member.lags, 1))


def _below(data: Data, linear: list[Member], lags: int, rl: int, first: int, driven: bool) -> Optimum | None:
    for member in linear:
        if member.lags == lags and member.optimum.design.rl == rl and np.isfinite(member.evidence):
            return member.optimum
    return _linear_member(data, lags, rl, first, driven).optimum


def _begin(data: Data, space: Space, first: int, driven: bool, below: Optimum | None, lags: int, lags_tanh: int, r: int,
           widths: tuple[int, ...], rng: np.random.Generator) -> list[Member]:
    """Grow units on the residuals of the linear fit and climb a few steps with the first of them, few and all."""
    if below is None:
        return []
    recurrent = not space.skip
    out = []
    lags = lags if space.skip else 0
    shape = design(data, lags, lags_tanh, max(widths), r, below.design.rl, first=first, recurrent=recurrent,
                   skip=space.skip, driven=driven)
    _, U = below.design.run(below.theta)
    U = np.vstack([np.zeros((max(len(shape.Y) - len(U), 0), U.shape[1])), U])[-len(shape.Y) :]
    fed, k = shape.feedback(U), shape.k
    heard = np.hstack([shape.XH, fed[:, : r * k]])                                          # (T, 1 + q)
    linear = np.hstack([shape.XL, fed[:, : shape.rl * k]])
    (white, _), start = whitener(below.sigma), shape.first
    units = grow(heard[start:, 1:], linear[start:], below.resid @ white.T, max(widths), rng)
    for n in widths:
        shape = replace(shape, n=n)
        states = np.tanh(heard @ units[:n].T)
        A = np.hstack([linear, states])[start:]
        ridge = np.concatenate([np.full(linear.shape[1], 1e-3), np.ones(n)])
        weights = np.linalg.solve(A.T @ A + np.diag(ridge), A.T @ shape.Y[start:])
        G = np.zeros((n, shape.width_G))
        G[:, : units.shape[1]] = units[:n]
        if recurrent:
            G[:, units.shape[1] :] = 0.3 * rng.normal(size=(n, n)) / np.sqrt(n)
        theta = np.concatenate([weights[:-n].T.ravel(), weights[-n:].T.ravel(), G.ravel()])
        shrink = prior(shape)
        optimum = fit(shape, shrink, theta, _first_precisions(shrink, theta), steps=SHORT)
        out.append(Member(optimum, lags if space.skip else 0, lags_tanh, space.skip, driven, rated(optimum)))  # type: ignore[arg-type]
    return [member for member in out if np.isfinite(member.evidence)]


def _noise(sigma: Array) -> float:
    return float(np.exp(np.log(np.diag(sigma)).mean()))


def _smooth(data: Data, first: int, driven: bool, lags: int, seen: list[int], rng: np.random.Generator
            ) -> list[Member]:
    """Fit read-outs of many random smooth units: a noiseless system is interpolated, not smoothed."""
    tasks = [(p, own, n, steepest) for p in seen for own in sorted({p, lags}) for n in (40, 80, 160, 400)
             for steepest in (0.3, 0.6, 1.2, 2.4) if n <= len(data.Y) // 4]
    seeds = rng.spawn(len(tasks))

    def one(job: tuple[tuple[int, int, int, float], np.random.Generator]) -> Member:
        (p, own, n, steepest), generator = job
        shape = replace(design(data, own, p, n, 0, 0, first=first, recurrent=False, driven=driven), frozen=True)
        G = smooth(shape.XH[:, 1:], n, generator, steepest=steepest)
        X = np.hstack([shape.XL, np.tanh(shape.XH @ G.T)])[shape.first :]
        left, sizes, right = np.linalg.svd(X, full_matrices=False)
        weights = right.T @ ((sizes / (sizes**2 + 1e-13 * sizes[0] ** 2))[:, None] * (left.T @ shape.Y[shape.first :]))
        theta = np.concatenate([weights[:-n].T.ravel(), weights[-n:].T.ravel(), G.ravel()])
        shrink = prior(shape)
        alpha = 1.0 / (shrink.sums(theta[: shape.free] ** 2) / np.maximum(shrink.count, 1.0) + 1e-8)
        optimum = fit(shape, shrink, theta, np.maximum(alpha, 1e-4), steps=10)
        return Member(optimum, own, p, True, driven, rated(optimum))  # type: ignore[arg-type]

    return [member for member in _map(one, list(zip(tasks, seeds, strict=True)), data) if np.isfinite(member.evidence)]


def _finest(members: list[Member], data: Data, linear: list[Member], first: int) -> list[Member]:
    """Return the member that runs freely over the training data best, refined where that is affordable.

    With next to no noise the one-step evidence rewards inputs that repeat each other, whose free runs then diverge
    (Lorenz-63: two lags gain 700 nats over one, and forecasts over a Lyapunov time are up to 10,000 times worse).
    """
    least = max(linear, key=_evidence).evidence + POSITIVE  # others could not be kept, see `search`
    ahead = [member for member in members if member.evidence > least]
    fenced = _map(lambda member: _fenced(member, data, linear, first), ahead or members, data)
    best = min(fenced, key=lambda member: free_run_error(member, data))
    if best.optimum.design.size <= UNFREEZE:
        refined = _fenced(replace(_continue(best, "unit", 60, False), bounds=None), data, linear, first)
        if refined.evidence > least and free_run_error(refined, data) < free_run_error(best, data):
            return [refined]
    return [best]


def _first_precisions(shrink: Prior, theta: Array) -> Array:
    floor = np.array([0.3 if name == "W_hh" else 0.05 for name in shrink.names])
    alpha = 1.0 / (shrink.sums(theta**2) / np.maximum(shrink.count, 1.0) + floor)
    return np.asarray(np.where([name.startswith(("B", "A", "W_hy")) for name in shrink.names], 1.0, alpha))


def _continue(member: Member, kind: Kind | None, steps: int, recurrent: bool, *, lags: int | None = None) -> Member:
    """Climb on from a member: tanh units with or without their own memory, either prior, perhaps fewer linear lags."""
    old = member.optimum
    shape = replace(old.design, recurrent=recurrent, frozen=False)
    lags = member.lags if lags is None else min(lags, member.lags)
    dropped = slice(shape.fixed + lags * shape.k, shape.XL.shape[1])
    shape = replace(shape, XL=np.ascontiguousarray(np.delete(shape.XL, dropped, axis=1)))
    cut = old.design.cuts(old.theta)
    G = cut.G[:, : cut.G.shape[1] - cut.Gs.shape[1]]
    Gs = (cut.Gs if old.design.recurrent else np.zeros((shape.n, shape.n))) if recurrent else np.zeros((shape.n, 0))
    theta = np.concatenate([np.delete(cut.L, dropped, axis=1).ravel(), cut.W.ravel(), np.hstack([G, Gs]).ravel()])
    shrink = prior(shape, kind or "unit")
    known = dict(zip(old.prior.names, old.alpha, strict=True))
    guess = _first_precisions(shrink, theta)
    if old.design.frozen:
        guess = 1.0 / (shrink.sums(theta**2) / np.maximum(shrink.count, 1.0) + 1e-8)
    alpha = np.array([known.get(name, value) for name, value in zip(shrink.names, guess, strict=True)])
    optimum = fit(shape, shrink, theta, alpha, sigma=old.sigma, steps=steps)
    if optimum is None:
        return replace(member, evidence=-np.inf)
    return replace(member, optimum=optimum, evidence=rated(optimum), lags=lags)


def _top(members: list[Member], count: int) -> list[Member]:
    """Return the best by evidence, no two the same optimum."""
    out: list[Member] = []
    for member in sorted(members, key=lambda member: -member.evidence):
        same = any(abs(member.evidence - other.evidence) < 1e-6 and member.optimum.design.n == other.optimum.design.n
                   for other in out)
        if np.isfinite(member.evidence) and not same:
            out.append(member)
    return out[:count]


def _by_width(members: list[Member]) -> list[list[Member]]:
    """Part structures of several units, first, from single ones, which few steps favour; each group best first."""
    groups = ([member for member in members if (member.optimum.design.n == 1) == single] for single in (False, True))
    return [_top(group, len(group)) for group in groups if group]


def _leading(members: list[Member], heavy: bool) -> list[Member]:
    """Return those worth a longer climb."""
    kept = [group[: 1 if heavy else 4 if group[0].optimum.design.n > 1 else 2] for group in _by_width(members)]
    return sorted((member for group in kept for member in group), key=_evidence, reverse=True)


def _map(work: Callable, tasks: list, data: Data) -> list:  # type: ignore[type-arg]
    """Run independent fits on WORKERS threads; results keep the order of the tasks, so bits do not depend on it."""
    if WORKERS == 1 or len(tasks) < 2 or data.Y.size < WORTH_THREADS:
        return [work(task) for task in tasks]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, tasks))
