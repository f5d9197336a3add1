"""From a ledger to the tables people read: errors, skill against the VAR, tests, by horizon, series and model.

The only place besides the report that averages losses; every table is a pure function of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from varnn.evaluate.ledger import ORACLE, Ledger
from varnn.evaluate.significance.gain import gain_in_rmse
from varnn.evaluate.significance.pairwise import PairTest, clark_west, diebold_mariano, giacomini_white
from varnn.evaluate.significance.ranks import holm
from varnn.series import FloatArray

NESTED = ("VAR", "LinearRNN", "TanhRNN")  # each contains the one before it
SAME = 1e-6  # of the RMSE: forecasts of nested rungs that differ by less are the same
LEAST_COMMON = 0.25  # share of the origins below which the models that fail most are set aside
Mask = NDArray[np.bool_]


def comparable(usable: Mask) -> tuple[Mask, Mask]:
    """Return which models can be set beside one another, and the origins at which all of these gave a forecast.

    Averages over the origins that each model happened to manage would compare easy dates with hard ones.  While the
    models have less than a quarter of the origins in common, the one with the fewest forecasts is set aside.

    Parameters
    ----------
    usable : bool array (r, o)
        Where each model gave a forecast.

    Returns
    -------
    counted : bool array (r,)
    common : bool array (o,)

    Examples
    --------
    >>> counted, common = comparable(np.array([[True] * 5, [False] + [True] * 4, [True] + [False] * 4]))
    >>> counted.tolist(), common.tolist()
    ([True, True, False], [False, True, True, True, True])
    """
    count = usable.sum(axis=1)
    counted = count > 0
    while counted.sum() > 1 and usable[counted].all(axis=0).mean() < LEAST_COMMON:
        counted[np.flatnonzero(counted)[np.argmin(count[counted])]] = False
    common = usable[counted].all(axis=0) if counted.any() else np.zeros(usable.shape[1], dtype=bool)
    return counted, np.asarray(common)


def mean_square(error: FloatArray) -> FloatArray:
    """Return the mean squared error of each origin, over the steps and series that were observed; (o, h, k) -> (o,)."""
    squared = error**2
    return np.asarray(np.nanmean(squared, axis=(1, 2)) if np.isnan(squared).any() else squared.mean(axis=(1, 2)))


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses of one ledger as arrays over models r, origins o, steps h and series k.

    Attributes
    ----------
    models : list of str
        Without the oracle.
    observed : array (o, h, k)
        Observations, divided by the RMSSE yardstick of their series.
    error : array (r, o, h, k)
        Observed less forecast, in the same units; NaN where a model failed or nothing was observed.
    best : array (o, h, k) or None
        The same for the oracle.
    usable : array (r, o)
        Origins at which each model gave a forecast.
    overlap : array (h,)
        Origins over which forecasts of a step overlap: ⌈step / spacing⌉.
    """

    models: list[str]
    steps: list[int]
    series: list[str]
    scale: FloatArray
    observed: FloatArray
    error: FloatArray
    best: FloatArray | None
    usable: np.ndarray
    overlap: list[int]

    @classmethod
    def of(cls, ledger: Ledger) -> Losses:
        """Arrange the ledger's forecasts as arrays."""
        table = ledger.forecasts
        models = [model for model in ledger.models if model != ORACLE]
        steps = sorted(table["step"].unique().tolist())
        series = list(ledger.meta["names"])
        origins = table["origin"].nunique()
        shape = (-1, origins, len(steps), len(series))
        scaled = ((table["observed"] - table["mean"]) / table["scale_rmse"]).to_numpy()
        observed = (table["observed"] / table["scale_rmse"]).to_numpy().reshape(shape)[0]
        mine = (table["model"] != ORACLE).to_numpy()
        error = scaled[mine].reshape(shape)
        given = table["mean"].notna().to_numpy()[mine].reshape(shape).all(axis=(2, 3))
        best = scaled[~mine].reshape(shape)[0] if (~mine).any() else None
        spacing = int(ledger.meta["windows"]["step"])
        return cls(models, [int(step) for step in steps], series,
                   table["scale_rmse"].to_numpy()[:len(series)], observed, error, best,
                   given & np.isfinite(observed).any(axis=(1, 2)), [-(-int(step) // spacing) for step in steps])

    @cached_property
    def _comparable(self) -> tuple[Mask, Mask]:
        return comparable(self.usable)

    @property
    def counted(self) -> Mask:
        """Models that gave a forecast often enough to be set beside the others, (r,)."""
        return self._comparable[0]

    @property
    def common(self) -> Mask:
        """Origins at which all of these gave a forecast, (o,)."""
        return self._comparable[1]

    def both(self, first: str, second: str, step: int | None = None) -> Mask:
        """Origins over which two models are compared: the common ones, or those of the pair if one is set aside."""
        one, two = self.models.index(first), self.models.index(second)
        steps = slice(None) if step is None else slice(step, step + 1)
        seen = np.isfinite(self.observed[:, steps]).any(axis=(1, 2))
        pair = self.common if self.counted[one] and self.counted[two] else self.usable[one] & self.usable[two]
        return np.asarray(pair & seen)

    def pair(self, first: str, second: str, step: int | None = None) -> tuple[FloatArray, FloatArray]:
        """Scaled errors (o', h', k) of two models over the origins of `both`, at one step or at all."""
        one, two, both = self.models.index(first), self.models.index(second), self.both(first, second, step)
        steps = slice(None) if step is None else slice(step, step + 1)
        return self.error[one, both, steps], self.error[two, both, steps]

    def nested(self, small: str, large: str, step: int | None = None) -> PairTest:
        """Test whether a model knows more than the one nested in it, at one step or at all: Clark and West."""
        errors = self.pair(small, large, step)
        both = self.both(small, large, step)
        forecast = self.observed[both, slice(None) if step is None else slice(step, step + 1)] - errors[0]
        complete = np.isfinite(forecast).all(axis=(1, 2))
        restricted, full, forecast = (part[complete].reshape(complete.sum(), -1) for part in (*errors, forecast))
        return clark_west(restricted, full, forecast=forecast,
                          horizon=max(self.overlap) if step is None else self.overlap[step])


def alike(errors: tuple[FloatArray, FloatArray]) -> bool:
    """Say whether two models forecast the same, up to rounding: what a test would make of it is noise.

    Examples
    --------
    >>> alike((np.ones((1, 1, 1)), np.full((1, 1, 1), 1.0 + 1e-9)))
    True
    """
    apart, size = np.abs(errors[0] - errors[1]), np.square(errors[1])
    known = np.isfinite(apart)
    return bool(known.any() and apart[known].max() <= SAME * np.sqrt(size[known].mean()))


def reference(models: list[str]) -> str:
    """Return the model that skill is measured against: the VAR, or the first one where there is none."""
    return "VAR" if "VAR" in models else models[0]


def by_horizon(ledger: Ledger) -> pd.DataFrame:
    """One row a model and step: errors, coverage, skill against the VAR with its interval, and tests.

    Columns: model, step, n (origins), rmse, mae (units of the series, pooled), mase, rmsse, crps, coverage_50 … 95,
    skill (% lower RMSSE than the VAR), skill_lower, skill_upper, dm, dm_p, dm_holm (corrected for the number of
    steps), cw_p (only where the VAR is nested), gw_p, boot_p (only where p-values were bootstrapped). All of it is
    over the origins at which every model gave a forecast; a model that failed too often for that (see `comparable`)
    has no errors here and is compared with the VAR over the origins that both forecast.
    """
    losses = Losses.of(ledger)
    plain = _plain(ledger, ["model", "step"], losses)
    rows = []
    for model in losses.models:
        against = [_against(losses, model, position) for position in range(len(losses.steps))]
        rows += [{"model": model, "step": step, **found, "dm_holm": corrected} for step, found, corrected in
                 zip(losses.steps, against, _holm([found["dm_p"] for found in against]), strict=True)]
    table = plain.merge(pd.DataFrame(rows), on=["model", "step"], how="right")
    if "bootstrap" not in ledger.meta:
        return table
    found = pd.DataFrame(ledger.meta["bootstrap"]["rows"], columns=["model", "step", "boot_p"])
    return table.merge(found, on=["model", "step"], how="left")


def by_series(ledger: Ledger) -> pd.DataFrame:
    """One row a model, series and step: n, rmse, mae, mase, rmsse, crps, coverage; over the origins in common."""
    return _plain(ledger, ["model", "series", "step"], Losses.of(ledger))


def overall(ledger: Ledger) -> pd.DataFrame:
    """One row a model, over all steps and series: the columns of `by_horizon`, failed origins and seconds."""
    losses = Losses.of(ledger)
    rows = [{"model": model, **_against(losses, model, None)} for model in losses.models]
    table = _plain(ledger, ["model"], losses).merge(pd.DataFrame(rows), on="model", how="right").set_index("model")
    joint = ledger.joint[ledger.joint["model"] != ORACLE]
    energy = joint["energy"].where(_in_common(joint, losses)).groupby(joint["model"], sort=False).mean()
    fits = ledger.fits.groupby("model", sort=False)
    absent = ledger.forecasts.assign(absent=ledger.forecasts["mean"].isna() & (ledger.forecasts["model"] != ORACLE))
    failed = absent.groupby(["model", "origin"])["absent"].any().groupby("model").sum()
    return table.assign(energy=energy, seconds=fits["seconds"].sum(min_count=1), failed=failed)


def oracle_gap(ledger: Ledger) -> pd.DataFrame | None:
    """Share of the way from the VAR to the best possible forecast that each model goes, one row a model and step.

        gap closed = (RMSE_VAR − RMSE_model) / (RMSE_VAR − RMSE_oracle),
        RMSE_model² = RMSE_oracle² + mean (oracle − forecast)²

    The noise around the oracle is independent of every forecast, so the cross term is zero in expectation and is
    left out; with it, luck in 60 origins can put the VAR ahead of the best forecast there is.
    None without an oracle. Columns: model, step, rmsse, oracle, gap_closed (1 is perfect, 0 is the VAR).
    """
    losses = Losses.of(ledger)
    if losses.best is None:
        return None
    base, rows = reference(losses.models), []
    for position, step in enumerate(losses.steps):
        for model in losses.models:
            noise = losses.best[losses.both(model, base, position), position]
            best = _rms(noise)
            mine, theirs = (float(np.hypot(best, _rms(error[:, 0] - noise)))
                            for error in losses.pair(model, base, position))
            closed = (theirs - mine) / (theirs - best) if theirs > best else np.nan
            rows.append({"model": model, "step": step, "rmsse": mine, "oracle": best, "gap_closed": closed})
    return pd.DataFrame(rows)


def _rms(error: FloatArray) -> float:
    squared = error[np.isfinite(error)] ** 2
    return float(np.sqrt(squared.mean())) if squared.size else float("nan")


def _in_common(table: pd.DataFrame, losses: Losses) -> NDArray[np.bool_]:
    """Return which rows belong to a model that counts, at an origin that all of these forecast."""
    places = {origin: at for at, origin in enumerate(sorted(table["origin"].unique()))}
    counted = dict(zip(losses.models, losses.counted.tolist(), strict=True))
    return np.asarray(losses.common[table["origin"].map(places).to_numpy(dtype=np.int64)]
                      & table["model"].map(counted).to_numpy(dtype=bool))


def _plain(ledger: Ledger, keys: list[str], losses: Losses) -> pd.DataFrame:
    """Averages that need no comparison, over the origins at which every model that counts gave a forecast."""
    table = ledger.forecasts[ledger.forecasts["model"] != ORACLE]
    judged = _in_common(table, losses) & table["observed"].notna().to_numpy()
    miss = (table["observed"] - table["mean"]).where(judged)
    work = table[keys].assign(
        squared=miss**2, mae=miss.abs(), mase=miss.abs() / table["scale_mae"],
        scaled=(miss / table["scale_rmse"]) ** 2, crps=table["crps"].where(judged),
        origin=table["origin"].where(miss.notna()))
    for coverage in (50, 80, 90, 95):
        inside = (table["observed"] >= table[f"lower_{coverage}"]) & (table["observed"] <= table[f"upper_{coverage}"])
        work[f"coverage_{coverage}"] = inside.astype(float).where(judged & table[f"lower_{coverage}"].notna())
    groups = work.groupby(keys, sort=False)
    means = groups.mean().drop(columns="origin")
    n = groups["origin"].nunique().astype(int)
    return means.assign(rmse=np.sqrt(means["squared"]), rmsse=np.sqrt(means["scaled"]), n=n).drop(
        columns=["squared", "scaled"]).reset_index()


def _against(losses: Losses, model: str, position: int | None) -> dict[str, float]:
    """Skill and tests of one model against the VAR at one step, or over all steps when None."""
    base = reference(losses.models)
    errors = losses.pair(model, base, position)
    mine, theirs = (mean_square(error) for error in errors)
    overlap = max(losses.overlap) if position is None else losses.overlap[position]
    nothing = {"skill": np.nan, "skill_lower": np.nan, "skill_upper": np.nan, "dm": np.nan, "dm_p": np.nan,
               "cw_p": np.nan, "gw_p": np.nan}
    if len(mine) == 0:
        return nothing
    if model == base:
        return nothing | {"skill": 0.0}
    if alike(errors):
        return nothing | {"skill": 0.0, "skill_lower": 0.0, "skill_upper": 0.0}
    if mine.mean() == 0 or theirs.mean() == 0:  # a forecast without any error leaves no ratio
        return nothing
    gain = gain_in_rmse(mine, theirs, horizon=overlap)
    test = diebold_mariano(mine, theirs, horizon=overlap)
    unconditional = giacomini_white(mine, theirs, horizon=overlap)
    nested = losses.nested(base, model, position) if base == "VAR" and model in NESTED else None
    known = gain.valid and np.isfinite(gain.limit(0.975))
    lower, upper = (gain.limit(c) if known else np.nan for c in (0.975, 0.025))  # 0 is outside where DM rejects
    return {"skill": gain.value, "skill_lower": lower, "skill_upper": upper,
            "dm": test.statistic, "dm_p": test.pvalue if test.valid else np.nan,
            "cw_p": nested.pvalue if nested is not None and nested.valid else np.nan,
            "gw_p": unconditional.pvalue if unconditional.valid else np.nan}


def _holm(pvalues: list[float]) -> list[float]:
    """Correct the p-values there are; NaN stays."""
    given = [p for p in pvalues if np.isfinite(p)]
    corrected = iter(holm(given).tolist() if given else [])
    return [next(corrected) if np.isfinite(p) else np.nan for p in pvalues]
