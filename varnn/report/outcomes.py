"""A ledger as arrays over models, origins, steps and series, and what they say about calibration.

Used by `figures`, `tables` and `words`. Rows may come in any order; a forecast that is absent is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from varnn.evaluate.ledger import ORACLE, Ledger
from varnn.report.canvas import NAIVE
from varnn.series import FloatArray

LEVELS = (50, 80, 90, 95)
CHANCE = 0.95


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

        rows, first_at = np.unique(origins[origin_at] + steps[step_at] - 1, return_index=True)
        labels = table["date"].astype(str).iloc[first_at]
        spacing = int(np.diff(origins).min()) if len(origins) > 1 else 1
        return cls(models=models, origins=origins, steps=[int(step) for step in steps], series=series,
                   observed=cube("observed")[0], mean=cube("mean"), pit=cube("pit"), scale=cube("scale_rmse")[0, 0, 0],
                   bands={level: (cube(f"lower_{level}"), cube(f"upper_{level}")) for level in LEVELS},
                   dates=dict(zip(rows.tolist(), labels.str.removesuffix(" 00:00:00"), strict=True)),
                   spacing=spacing)

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
        usable = np.isfinite(cube).all(axis=(0, 2, 3))
        return chosen[:, usable].mean(axis=(2, 3)).T, np.flatnonzero(usable)

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
        gain = (self.squared(self.reference) - self.squared(model))[:, 0].mean(axis=1)
        return np.cumsum(np.nan_to_num(gain))

    def held(self, model: str, level: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """Share of outcomes inside the `level` % bands at each step, and how many outcomes were judged; (h,), (h,)."""
        lower, upper = (side[self.models.index(model)] for side in self.bands[level])
        judged = np.isfinite(lower)
        count = judged.sum(axis=(0, 2))
        inside = ((self.observed >= lower) & (self.observed <= upper) & judged).sum(axis=(0, 2))
        return inside / np.where(count > 0, count, np.nan), count

    def chance(self, level: int) -> tuple[FloatArray, FloatArray]:
        """Limits between which a right `level` % band holds its share of outcomes in 95 of 100 runs; (h,), (h,).

        Binomial over forecasts that do not overlap; series are taken as independent.
        """
        apart = [len(self.series) * -(-len(self.origins) // self.overlap(at)) for at in range(len(self.steps))]
        limits = [np.array(stats.binom.interval(CHANCE, count, level / 100)) / count for count in apart]
        return np.array([limit[0] for limit in limits]), np.array([limit[1] for limit in limits])

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
        """How often each tenth of the forecast distribution was hit at the first step; None where it gave no bands."""
        pit = self.pit[self.models.index(model), :, 0].ravel()
        pit = pit[np.isfinite(pit)]
        if len(pit) < 20:
            return None
        bins = 10 if len(pit) >= 100 else 5
        counts = np.histogram(pit, bins=bins, range=(0, 1))[0]
        lower, upper = stats.binom.interval(CHANCE, len(pit), 1 / bins)
        statistic = float(((counts - len(pit) / bins) ** 2).sum() / (len(pit) / bins))
        return PitHistogram(counts / len(pit) * bins, float(lower) / len(pit) * bins, float(upper) / len(pit) * bins,
                            len(pit), float(stats.chi2.sf(statistic, bins - 1)))


@dataclass(frozen=True, eq=False)
class PitHistogram:
    """Relative frequency in each bin (1 is calibrated), its chance limits, the outcomes and a χ² p-value."""

    height: FloatArray
    lower: float
    upper: float
    count: int
    pvalue: float
