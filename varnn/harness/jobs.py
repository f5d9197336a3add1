"""What there is to do: one job a data set × seed × model × block of origins, with a name made of its contents.

A job's key changes when anything that could change its numbers does: data, model, windows, seed or code.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from varnn.comparison.compare import fingerprint, leaks_of
from varnn.comparison.null_bootstrap import contenders, tasks_under
from varnn.comparison.sample import sample_of
from varnn.data import About, Dataset, about, load, read
from varnn.data.steps import steps_of
from varnn.dates import season_of
from varnn.errors import InputError, MissingDataError, StoreError
from varnn.evaluate.backtest import Oracle, Part, Task, blocks, forecast_blocks
from varnn.evaluate.leaks import LEADS
from varnn.evaluate.windows import Windows
from varnn.forecaster import Forecaster
from varnn.harness.code import code_of
from varnn.harness.suite import DataEntry, Suite
from varnn.series import FloatArray


@dataclass(frozen=True)
class Item:
    """A series to forecast, with where it came from.

    Attributes
    ----------
    name : str
        Unique in the suite: data set, member of a panel, seed.
    task : Task
        Without its oracle, so that it can travel to any worker.
    oracle : callable, optional
        Best possible means, asked for where the results are put together.
    about : dict
        Facts for the report.
    drawn_for : str
        Name of the item from whose VAR this series was drawn, for bootstrapped p-values; '' for data.
    """

    name: str
    task: Task
    oracle: Oracle | None
    about: dict[str, Any]
    drawn_for: str = ""


@dataclass(frozen=True)
class Job:
    """One model over one block of origins of one item."""

    key: str
    item: str
    label: str
    block: int


def items(suite: Suite) -> list[Item]:
    """Load every data set of a suite, every seed of it, every member of a panel."""
    found = []
    for entry in suite.data:
        for seed in suite.seeds:
            dataset = _loaded(entry, seed)
            for member, frame in list(dataset.each())[:entry.most_series]:
                name = entry.title if len(suite.seeds) == 1 else f"{entry.title} (seed {seed})"
                name = f"{name} {member}" if dataset.panel else name
                held = _held_out(dataset, member)
                found.append(_item(name, entry, dataset, frame, held, seed, suite.n_paths))
    name, times = Counter(item.name for item in found).most_common(1)[0]
    if times > 1:
        raise InputError(f"the suite has {name!r} {times} times; give the entries different labels")
    if suite.p_values == "bootstrap":
        models = suite.forecasters()
        contenders(models)
        found += [Item(f"{item.name}, draw {number}", task, None, item.about, item.name) for item in list(found)
                  for number, task in enumerate(tasks_under(item.task, models, suite.draws), start=1)]
    return found


def jobs(found: Sequence[Item], models: dict[str, Forecaster]) -> list[Job]:
    """Return every job of the suite, blocks of one model side by side; keys hold all code that can change a number."""
    code = {label: [str(piece) for piece in code_of(model)] for label, model in models.items()}
    made = []
    for item in found:
        data = fingerprint(item.task.series, item.task.exog)
        for label, model in (contenders(models) if item.drawn_for else models).items():
            for number, block in enumerate(blocks(item.task)):
                named = [data, label, repr(model), repr(item.task.windows), [origin.stop for origin in block],
                         item.task.season, item.task.seed, item.task.n_paths, code[label]]
                if item.task.target is not None or item.task.missing != "raise":  # keys of others stay what they were
                    named += [item.task.target, item.task.missing]
                made.append(Job(_digest(named), item.name, label, number))
    return made


def run_jobs(tasks: Sequence[Task], model: Forecaster, some: Sequence[Job]) -> list[str]:
    """Return the forecasts of jobs of one model, with the task of each, as JSON texts.

    A text is the same, but for the seconds, whoever makes it and with whichever other jobs.
    """
    work = [(task, blocks(task)[job.block]) for task, job in zip(tasks, some, strict=True)]
    return [json.dumps({"forecasts": part.forecasts, "joint": part.joint, "fits": part.fits}, default=_plain)
            for part in forecast_blocks(some[0].label, model, work)]


def part_of(payload: str) -> Part:
    """Return what `run_job` wrote as numbers again, bit for bit."""
    tables = json.loads(payload)
    return Part(tables["forecasts"], tables["joint"], tables["fits"])


def _loaded(entry: DataEntry, seed: int) -> Dataset:
    if entry.file:
        return _own(entry)
    options = dict(entry.options)
    if about(entry.name).origin == "simulated":
        options.setdefault("seed", seed)
    elif entry.columns:
        options["columns"] = entry.wanted
    return load(entry.name, **options)


def _own(entry: DataEntry) -> Dataset:
    """Read a file of the user's own; its path is seen from the folder that the suite is run in."""
    path = Path(entry.file)
    if not path.is_file():
        raise StoreError(f"the suite's file {entry.file!r} is not in {Path.cwd()}; run the suite from the folder it is "
                         "in, or write its whole path")
    found = read(path, date=entry.date or None, columns=entry.wanted or None)
    y = found.y
    steps = steps_of(entry.transform, list(y.columns), season=season_of(y.index))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    words = About(name=entry.title, title=path.name, origin="bundled", season=season_of(y.index), frequency="",
                  transform=entry.transform, source=f"{path.name}, SHA-256 {digest}")
    return words.with_data(steps.apply(y))


def _held_out(data: Dataset, member: str) -> pd.DataFrame | None:
    """Return the rows of a panel's member that its publisher kept for testing, where there are any."""
    return data.holdout.loc[[member]].droplevel(0) if data.panel and data.holdout is not None else None


def _item(name: str, entry: DataEntry, data: Dataset, frame: pd.DataFrame, held: pd.DataFrame | None, seed: int,
          n_paths: int) -> Item:
    frame = frame[entry.wanted] if entry.columns else frame
    first = entry.first
    if held is not None:
        first, frame = len(frame), pd.concat([frame, held[frame.columns]], ignore_index=True)
    known = data.exog if entry.exog else None
    series, exog, judged = sample_of(frame, known, list(entry.past) or None, list(entry.target) or None, entry.missing)
    leaks_of(series, exog, judged, list(entry.trust), max(LEADS, entry.horizon + entry.gap))
    if first is None:
        windows = Windows.default(len(series), entry.horizon, origins=entry.origins, step=entry.step, gap=entry.gap,
                                  refit=entry.refit, size=entry.window)
    else:  # a given split is estimated once, unless the suite asks for more
        windows = Windows(horizon=entry.horizon, first=first, step=entry.step or 1, gap=entry.gap, size=entry.window)
        windows = replace(windows, refit=entry.refit or max(1, windows.count(len(series))))
    task = Task(series=series, exog=exog, windows=windows, season=data.season, seed=seed, n_paths=n_paths,
                target=None if judged == series.names else judged, missing=entry.missing)
    units = "; ".join(f"{key}: {label}" for key, label in data.labels.items())
    facts = {"title": name, "subject": data.title, "units": units,
             "source": data.source, "licence": data.licence, "citation": data.citation, "transform": data.transform,
             "data": entry.name or entry.title, "seed_of_data": seed}
    return Item(name, task, _oracle(data), facts)


def _oracle(data: Dataset) -> Oracle | None:
    simulated = data.simulated
    if simulated is None:
        return None

    def best(stop: int, horizon: int) -> FloatArray:
        if horizon == 1:
            return np.asarray(simulated.oracle[stop:stop + 1])
        return np.asarray(simulated.oracle_ahead([stop], horizon, paths=500, rng=stop)[0])

    return best


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise MissingDataError(f"a result holds {type(value).__name__}, which no table can hold")
