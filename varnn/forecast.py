"""What comes out: a joint predictive distribution over horizons and series, on a dated index.

Made by `Fitted.forecast`, read by scores, the report and the user. Holds numbers only; never refits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtri

from varnn.display import Sheet, Shown, count, listed, short_date, span, together
from varnn.errors import ParameterError
from varnn.guide import Guided
from varnn.picture import INK, Picture, legend_outside, mark_dates, styled
from varnn.series import FloatArray, checked_coverage, checked_coverages
from varnn.writing import literal

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class Forecast(Guided, Shown):
    """Point forecasts and equally likely joint sample paths for h steps and k series.

    Attributes
    ----------
    point : array (h, k)
        Conditional means, in the units of the series.
    paths : array (m, h, k)
        Sample paths: each is one possible joint future over all steps and series.
    names : tuple of str
        Series names.
    index : pandas.Index (h,)
        Dates of the forecasts.
    coverages : tuple of float
        Nominal probabilities asked for; `interval()` uses the first, `to_frame()` shows all.
    history : DataFrame
        The last observations before the forecast, for `plot`.
    spread : array (h, k), optional
        Standard deviations, given only where the marginals are exactly Gaussian; intervals and
        quantiles then come from the normal formula instead of the paths.

    Examples
    --------
    >>> import varnn
    >>> ahead = varnn.VAR(lags=1).fit(varnn.data.load("macrodata").frame).forecast(4, coverage=(0.8, 0.95))
    >>> ahead.mean.shape, ahead.paths.shape, ahead.horizon
    ((4, 3), (1000, 4, 3), 4)
    >>> ahead.to_frame().columns.tolist()
    ['date', 'step', 'series', 'mean', 'median', 'lower_80', 'upper_80', 'lower_95', 'upper_95']
    """

    point: FloatArray
    paths: FloatArray
    names: tuple[str, ...]
    index: pd.Index[Any]
    coverages: tuple[float, ...] = (0.9,)
    history: pd.DataFrame | None = None
    spread: FloatArray | None = None

    _is: ClassVar[str] = "a forecast"
    _called: ClassVar[str] = "outlook"
    _indexed: ClassVar[str] = "write outlook.mean[key] for a series, outlook.paths for paths"

    def __post_init__(self) -> None:
        self.point.setflags(write=False)
        self.paths.setflags(write=False)

    @property
    def horizon(self) -> int:
        """Number of steps ahead."""
        return int(self.point.shape[0])

    @property
    def mean(self) -> pd.DataFrame:
        """Conditional mean of each series at each date."""
        return self._frame(self.point)

    def quantile(self, q: float) -> pd.DataFrame:
        """Marginal `q` quantile (0 < q < 1) of each series at each date.

        Raises
        ------
        ParameterError
            If q is not strictly between 0 and 1.
        """
        if isinstance(q, bool) or not isinstance(q, (float, np.floating)) or not 0.0 < q < 1.0:
            raise ParameterError(f"q={q!r} is not usable; give a probability strictly between 0 and 1")
        return self._frame(self._quantiles(float(q))[0])

    def interval(self, coverage: float | None = None, *, joint: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Lower and upper bounds that hold each outcome with probability `coverage`.

        With ``joint=True`` the band holds a whole path, over all steps of a series at once, with that
        probability (sup-t band: Montiel Olea & Plagborg-Møller 2019, J. Appl. Econometrics 34(1), eq. 5).

        Parameters
        ----------
        coverage : float, optional
            Between 0 and 1; the (first) coverage asked of `forecast` when left out.
        joint : bool
            Simultaneous over the h steps instead of step by step.
        """
        level = self.coverages[0] if coverage is None else checked_coverage(coverage)
        lower, upper = self._joint_band(level) if joint else self._quantiles((1 - level) / 2, (1 + level) / 2)
        return self._frame(lower), self._frame(upper)

    def to_frame(self) -> pd.DataFrame:
        """Tidy table: one row a date and series, with mean, median and the bounds of each coverage asked for."""
        columns: dict[str, FloatArray] = {"mean": self.point, "median": self._quantiles(0.5)[0]}
        for level in self.coverages:
            lower, upper = self.interval(level)
            columns[f"lower_{100 * level:g}"] = lower.to_numpy()
            columns[f"upper_{100 * level:g}"] = upper.to_numpy()
        table = pd.DataFrame({name: block.ravel() for name, block in columns.items()})
        table.insert(0, "series", list(self.names) * self.horizon)
        table.insert(0, "date", np.repeat(np.asarray(self.index.astype(str)), len(self.names)))
        table.insert(1, "step", np.repeat(np.arange(1, self.horizon + 1), len(self.names)))
        return table

    def plot(self, coverages: float | Sequence[float] = (0.5, 0.8, 0.95)) -> Picture:
        """Draw a fan chart: the recent past, the mean, and one band for each coverage, from the last observation on.

        Parameters
        ----------
        coverages : float or several
            Probabilities, strictly between 0 and 1.

        Returns
        -------
        Picture
            An array (k,) of matplotlib axes, one a series.

        Raises
        ------
        ParameterError
            If a coverage is not a number strictly between 0 and 1.
        """
        from matplotlib.figure import Figure

        levels = sorted(checked_coverages(coverages), reverse=True)
        past = () if self.history is None else self.history.index
        first = len(past)
        # The fan opens at the last observation, which is known: all bounds and the mean are there.
        steps = np.arange(max(first - 1, 0), first + self.horizon)
        bands = [[self._from_known(side.to_numpy()) for side in self.interval(level)] for level in levels]
        mean = self._from_known(self.point)
        with styled():
            figure = Figure(figsize=(7.0, 2.1 * len(self.names) + 0.5), layout="constrained")
            panels = figure.subplots(len(self.names), 1, sharex=True, squeeze=False)[:, 0]
            for j, (axes, name) in enumerate(zip(panels, self.names, strict=True)):
                for grey, level, (lower, upper) in zip(np.linspace(0.88, 0.66, len(levels)), levels, bands,
                                                       strict=True):
                    axes.fill_between(steps, lower[:, j], upper[:, j], color=str(grey), lw=0,
                                      label=f"{100 * level:g} %")
                axes.plot(steps, mean[:, j], color=INK, ls="--", lw=1.2, label="mean")
                if self.history is not None:
                    axes.plot(np.arange(first), self.history.iloc[:, j], color=INK, lw=1.0, label="observed")
                axes.set_title(literal(name), loc="left")
            mark_dates(panels[-1], [*past, *self.index])
            legend_outside(figure, panels[0])
        said = together([f"{100 * level:g}" for level in levels[::-1]])
        return Picture.of(panels, f"Fan chart of {listed(self.names)}: {count(self.horizon, 'step')} from "
                                  f"{short_date(self.index[0])} on, with bands of {said} %.")

    def _from_known(self, block: FloatArray) -> FloatArray:
        """Put the last observation before a block (h, k), where there is one."""
        if self.history is None or self.history.empty:
            return block
        return np.vstack([self.history.to_numpy(dtype=np.float64)[-1], block])

    def _sheet(self) -> Sheet:
        facts = (("series", listed(self.names)),
                 ("dates", f"{span(self.index)}, {count(self.horizon, 'step')}"),
                 ("drawn", f"{count(len(self.paths), 'sample path')}; intervals of "
                  f"{' and '.join(f'{100 * level:g} %' for level in self.coverages)}"))
        return Sheet(type(self).__name__, facts, (("mean", self.mean),),
                     "outlook.interval(), .quantile(0.1), .to_frame(), .plot()")

    def _quantiles(self, *levels: float) -> FloatArray:
        if self.spread is not None:
            return np.stack([self.point + float(ndtri(level)) * self.spread for level in levels])
        return np.asarray(np.quantile(self.paths, levels, axis=0), dtype=np.float64)

    def _joint_band(self, level: float) -> tuple[FloatArray, FloatArray]:
        centre, spread, furthest = self._excursions
        reach = np.quantile(furthest, level, axis=0)                              # (k,)
        return centre - reach * spread, centre + reach * spread

    @cached_property
    def _excursions(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Medians and standard deviations (h, k), and how many of these each path goes astray at most, (m, k)."""
        centre = np.median(self.paths, axis=0)
        spread = np.maximum(self.paths.std(axis=0), np.finfo(float).tiny)
        return centre, spread, (np.abs(self.paths - centre) / spread).max(axis=1)

    def _frame(self, block: FloatArray) -> pd.DataFrame:
        return pd.DataFrame(np.array(block), index=self.index, columns=list(self.names))
