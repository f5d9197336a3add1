"""A ledger as arrays over models, origins, steps and series, and what they say about calibration.

Used by `figures`, `tables` and `words`. Rows may come in any order; a forecast that is absent is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from varnn.evaluate.calibration import CoverageCheck, PitHistogram, coverage_check, pit_histogram
from varnn.evaluate.ledger import ORACLE, Ledger
from varnn.evaluate.tables import comparable
from varnn.report.canvas import NAIVE
from varnn.series import FloatArray

LEVELS = (50, 80, 90, 95)
FEWEST_OUTCOMES = 20  # of a histogram


def _over_cells(losses: FloatArray) -> FloatArray:
    """Return the mean of losses (r, o, h, k) over the steps and series that were observed, (r, o); NaN where none."""
    known = np.isfinite(losses)
    if known.all():
        return np.asarray(losses.mean(axis=(2, 3)))
    count = known.sum(axis=(2, 3))
    total = np.where(known, losses, 0.0).sum(axis=(2, 3))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def thinned(count: int, most: int) -> list[int]:
    """Return at most `most` positions spread over range(count), the first and the last among them.

    Examples
    --------
    >>> thinned(5, 10), thinned(720, 4)
    ([0, 1, 2, 3, 4], [0, 240, 479, 719])
    """
    if count <= most:
        return list(range(count))
    return sorted({round(at * (count - 1) / (most - 1)) for at in range(most)})


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Every forecast of one ledger beside its outcome.

    Attributes
    ----------
    models : list of str
        In the order they were run, the oracle last.
    origins : int array (o,)
        Rows seen at each origin.
    observed : array (o, h, k)
    mean, pit : array (r, o, h, k)
    joint_pit : array (r, o, h)
    bands : dict of coverage in % to (lower, upper), each (r, o, h, k)
    scale : array (k,)
        The RMSSE yardstick of each series.
    dates : dict of int to str
        Date of each judged row.
    spacing : int
        Rows from one origin to the next.
    """

    models: list[str]
    origins: NDArray[np.int64]
    steps: list[int]
    series: list[str]
    observed: FloatArray
    mean: FloatArray
    pit: FloatArray
    joint_pit: FloatArray
    bands: dict[int, tuple[FloatArray, FloatArray]]
    scale: FloatArray
    dates: dict[int, str]
    spacing: int

    @classmethod
    def of(cls, ledger: Ledger) -> Outcomes:
        """Arrange a ledger's forecasts."""
        table = ledger.forecasts
        models, series = ledger.models, [str(name) for name in ledger.meta["names"]]
        origins, origin_at = np.unique(table["origin"].to_numpy(dtype=np.int64), return_inverse=True)
        steps, step_at = np.unique(table["step"].to_numpy(dtype=np.int64), return_inverse=True)
        model_at = table["model"].map({name: at for at, name in enumerate(models)}).to_numpy(dtype=np.int64)
        series_at = table["series"].map({name: at for at, name in enumerate(series)}).to_numpy(dtype=np.int64)

        def cube(column: str) -> FloatArray:
            filled = np.full((len(models), len(origins), len(steps), len(series)), np.nan)
            filled[model_at, origin_at, step_at, series_at] = table[column].to_numpy(dtype=np.float64)
            return filled

        def square(column: str) -> FloatArray:
            filled = np.full((len(models), len(origins), len(steps)), np.nan)
            joint = ledger.joint
            filled[joint["model"].map({name: at for at, name in enumerate(models)}), np.searchsorted(
                origins, joint["origin"]), np.searchsorted(steps, joint["step"])] = joint[column]
            return filled

        rows, first_at = np.unique(origins[origin_at] + steps[step_at] - 1, return_index=True)
        labels = table["date"].astype(str).iloc[first_at]
        spacing = int(np.diff(origins).min()) if len(origins) > 1 else 1
        return cls(models=models, origins=origins, steps=[int(step) for step in steps], series=series,
                   observed=cube("observed")[0], mean=cube("mean"), pit=cube("pit"), joint_pit=square("pit"),
                   scale=cube("scale_rmse")[0, 0, 0],
                   bands={level: (cube(f"lower_{level}"), cube(f"upper_{level}")) for level in LEVELS},
                   dates=dict(zip(rows.tolist(), labels.str.removesuffix(" 00:00:00"), strict=True)),
                   spacing=spacing)

    @cached_property
    def common(self) -> NDArray[np.bool_]:
        """Origins at which every model that counts gave a forecast, (o,); see `varnn.evaluate.tables.comparable`."""
        judged = [at for at, model in enumerate(self.models) if model != ORACLE]
        return comparable(np.asarray(np.isfinite(self.mean[judged]).all(axis=(2, 3))))[1]

    def origins_of(self, model: str) -> NDArray[np.bool_]:
        """Origins that a model is judged over: the common ones, its own where it failed too often to count, (o,)."""
        mine = np.isfinite(self.mean[self.models.index(model)]).all(axis=(1, 2))
        return np.asarray(self.common if mine[self.common].all() and self.common.any() else mine)

    @property
    def reference(self) -> str:
        """The model skill is measured against: the VAR, or the first one where there is none."""
        return "VAR" if "VAR" in self.models else self.models[0]

    @property
    def rungs(self) -> list[str]:
        """Models that are neither naive rows nor the oracle; all but the oracle where nothing is left."""
        judged = [model for model in self.models if model != ORACLE]
        return [model for model in judged if model not in NAIVE or model == self.reference] or judged

    def squared(self, model: str) -> FloatArray:
        """Squared scaled errors of a model, array (o, h, k)."""
        return np.asarray(((self.observed - self.mean[self.models.index(model)]) / self.scale) ** 2)

    def losses(self, models: list[str], step: int | None = None) -> tuple[FloatArray, NDArray[np.int64]]:
        """Squared scaled errors at the origins where every one of `models` gave a forecast, for tests.

        Parameters
        ----------
        models : list of str
        step : int, optional
            Position of one step; the mean over all of them when left out.

        Returns
        -------
        losses : array (n, r)
            Mean over series, one column a model.
        origins : int array (n,)
            Positions of the origins used.
        """
        cube = np.stack([self.squared(model) for model in models])
        chosen = cube if step is None else cube[:, :, [step]]
        given = np.isfinite(self.mean[[self.models.index(model) for model in models]]).all(axis=(0, 2, 3))
        usable = given & np.isfinite(chosen).any(axis=(0, 2, 3))
        return _over_cells(chosen[:, usable]).T, np.flatnonzero(usable)

    def overlap(self, step: int) -> int:
        """Origins over which forecasts of the step at this position share outcomes: ⌈step / spacing⌉."""
        return -(-self.steps[step] // self.spacing)

    def gain_over_time(self, model: str) -> FloatArray:
        """Squared scaled error of the reference less the model's at the first step, mean over series, cumulated.

        Returns
        -------
        array (o,)
            It climbs while the model is the better one; origins where either failed add nothing.
        """
        gain = _over_cells((self.squared(self.reference) - self.squared(model))[None, :, :1])[0]
        return np.cumsum(np.nan_to_num(gain))

    def held(self, model: str, level: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """Share of outcomes inside the `level` % bands at each step, and how many outcomes were judged; (h,), (h,)."""
        lower, upper = (side[self.models.index(model)] for side in self.bands[level])
        judged = np.isfinite(lower) & np.isfinite(self.observed) & self.origins_of(model)[:, None, None]
        count = judged.sum(axis=(0, 2))
        inside = ((self.observed >= lower) & (self.observed <= upper) & judged).sum(axis=(0, 2))
        return inside / np.where(count > 0, count, np.nan), count

    def check(self, model: str, level: int, step: int = 0) -> CoverageCheck:
        """Compare the share that the `level` % bands held at the step at this position with what chance allows."""
        lower, upper = (side[self.models.index(model), :, step] for side in self.bands[level])        # (o, k)
        judged = (np.isfinite(lower) & np.isfinite(self.observed[:, step])).all(axis=1) & self.origins_of(model)
        inside = (self.observed[judged, step] >= lower[judged]) & (self.observed[judged, step] <= upper[judged])
        return coverage_check(inside, level / 100, horizon=self.overlap(step))

    def chance(self, level: int) -> tuple[FloatArray, FloatArray]:
        """Limits between which right `level` % bands hold their share in 95 of 100 runs, the rungs' widest; (h,), (h,).

        They allow for forecasts that overlap and series that depend on each other, see `coverage_check`.
        """
        checks = [[self.check(model, level, step) for model in self.rungs] for step in range(len(self.steps))]
        return (np.array([min(one.lower for one in step) for step in checks]),
                np.array([max(one.upper for one in step) for step in checks]))

    def relative_width(self, model: str, level: int = 90) -> FloatArray:
        """Mean width of a model's bands over that of the reference's, series by series, then averaged; (h,)."""
        lower, upper = self.bands[level]
        width = upper - lower
        mine, theirs = width[self.models.index(model)], width[self.models.index(self.reference)]
        both = np.isfinite(mine) & np.isfinite(theirs)
        if not both.any():
            return np.full(len(self.steps), np.nan)
        total = np.where(both, mine, 0).sum(axis=0), np.where(both, theirs, 0).sum(axis=0)
        ratio = total[0] / np.where(total[1] > 0, total[1], np.nan)
        known = np.isfinite(ratio)
        count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
        return np.asarray(np.where(known, ratio, 0).sum(axis=1) / count)

    def pit_histogram(self, model: str) -> PitHistogram | None:
        """Where outcomes fell in the first step's distributions, series by series; None where there were too few."""
        return self._histogram(self.pit[self.models.index(model), self.origins_of(model), 0])

    def joint_histogram(self, model: str) -> PitHistogram | None:
        """Where the outcomes of all series together ranked among the first step's paths; None for one series."""
        if len(self.series) == 1:
            return None
        return self._histogram(self.joint_pit[self.models.index(model), self.origins_of(model), :1])

    def _histogram(self, pit: FloatArray) -> PitHistogram | None:
        pit = pit[np.isfinite(pit).all(axis=1)]
        if pit.size < FEWEST_OUTCOMES:
            return None
        found = pit_histogram(pit, bins=10 if pit.size >= 100 else 5, horizon=self.overlap(0))
        return replace(found, horizon=self.steps[0])
