"""The default comparison: six real series that come with installed packages and four simulated ones.

Run by `varnn demo` and `make report`. Each job leaves its own ledger; the report is made from those alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from varnn.cli.source import of_dataset
from varnn.comparison.compare import Comparison, compare
from varnn.errors import StoreError
from varnn.evaluate.ledger import Ledger
from varnn.writing import write_whole

TITLE = "varnn: the default comparison"
ORIGINS = 60  # of each data set; more would sharpen the tests and take longer than a minute
ORDER = "report.json"  # beside the ledgers: the title and the order of the page's parts


@dataclass(frozen=True, kw_only=True)
class Job:
    """One comparison: a data set and how far ahead to forecast it."""

    data: str
    horizon: int
    options: Mapping[str, Any] = field(default_factory=dict)
    origins: int = 60
    refit: int = 12
    models: tuple[str, ...] | None = None

    def run(self, folder: Path, seed: int, origins: int | None = None) -> Path:
        """Compare the default models and write the ledger to `folder`."""
        source = of_dataset(self.data, **self.options)
        result = compare(source.y, source.X, horizon=self.horizon, models=self.models, season=source.season,
                         origins=self.origins if origins is None else origins, refit=self.refit, seed=seed,
                         oracle=source.oracle, about=source.about | {"command": f"varnn demo --seed {seed}"})
        return result.ledger.write(folder)


JOBS = (
    Job(data="macrodata", horizon=8),
    Job(data="interest_inflation", horizon=4),
    Job(data="danish_data", horizon=4, origins=13),
    Job(data="elnino", horizon=12),
    Job(data="co2", horizon=13, refit=60),
    Job(data="sunspots", horizon=8),
    Job(data="var", horizon=4, options={"n": 400}),
    Job(data="varma", horizon=4, options={"n": 400}),
    Job(data="threshold_var", horizon=4, options={"n": 800}, origins=120, refit=40),
    Job(data="tanh_rnn", horizon=4, options={"n": 800}, origins=120, refit=40),
)


def run(out: Path, *, seed: int = 0, workers: int = 2, jobs: Sequence[Job] = JOBS, origins: int | None = None,
        progress: Callable[[str, int, int], None] | None = None) -> list[Comparison]:
    """Run the jobs, at most `workers` at a time, and write ledgers and report into `out`.

    The numbers do not depend on `workers`.

    Parameters
    ----------
    out : Path
        Folder for `index.html` and `ledger/`; the ledgers of an earlier run in it are replaced.
    seed, workers : int
    jobs : sequence of Job
    origins : int, optional
        Forecast origins of every job, for a shorter run.
    progress : callable, optional
        Called with (names being run, jobs done, jobs in all).

    Returns
    -------
    list of Comparison
    """
    home = fresh(out / "ledger")
    say = progress or (lambda names, done, total: None)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        names = {pool.submit(job.run, home / job.data, seed, origins): job.data for job in jobs}
        waiting = set(names)
        while waiting:
            running = [name for one, name in names.items() if one in waiting and one.running()]
            say(", ".join(running[:workers]), len(jobs) - len(waiting), len(jobs))
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()
    say("", len(jobs), len(jobs))
    remember(out, TITLE, [job.data for job in jobs])
    results, _ = read(out)
    render(results, out, TITLE)
    return results


def fresh(folder: Path) -> Path:
    """Return an empty folder; what an earlier run left in it is removed, anything else is not touched."""
    try:
        if folder.is_dir():
            for old in [part for part in folder.iterdir() if (part / "meta.json").is_file()]:
                shutil.rmtree(old)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(f"{folder} cannot be written ({problem.strerror}); give another --out") from None
    return folder


def remember(out: Path, title: str, order: Sequence[str]) -> None:
    """Keep title and order beside the ledgers, so that the page can be rebuilt from the folder alone."""
    text = json.dumps({"title": title, "order": list(order)}, indent=1, ensure_ascii=False)
    write_whole(out / "ledger" / ORDER, text + "\n")


def read(out: Path) -> tuple[list[Comparison], str]:
    """Read back what `run`, or `Comparison.report`, left in a folder: its comparisons and the title.

    Raises
    ------
    StoreError
        If there is no ledger in the folder, or a damaged one.
    """
    home = out / "ledger" if (out / "ledger").is_dir() else out
    if not out.exists():
        raise StoreError(f"there is no folder {out}; give the one a comparison wrote with --out")
    if not (home / ORDER).is_file():
        ledger = Ledger.read(home)
        return [Comparison(ledger)], str(ledger.meta["title"])
    try:
        known = json.loads((home / ORDER).read_text(encoding="utf-8"))
        title, order = str(known["title"]), [str(name) for name in known["order"]]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(f"{home / ORDER} is damaged ({problem}); run the comparison again") from None
    return [Comparison(Ledger.read(home / Path(name).name)) for name in order], title


def render(results: Sequence[Comparison], out: Path, title: str) -> Path:
    """Write the page of several comparisons to `out/index.html`."""
    from varnn.report import page

    return Path(page.render(results, out / "index.html", title=title))
