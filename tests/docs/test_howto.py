"""Every command of the guides runs as it stands, on the files that the guides describe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from varnn.cli.app import app

GUIDES = Path(__file__).parents[2] / "docs" / "howto"
COMMANDS = {page.stem: [shlex.split(line.removeprefix("$ varnn "))
                        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.S)
                        for line in block.splitlines()] for page in sorted(GUIDES.glob("*.md"))}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with the files that the pages name, as they describe them."""
    months = pd.period_range("2019-01", periods=60, freq="M")
    rng = np.random.default_rng(0)
    price = 10 + rng.normal(size=63).round(1)
    sales = (100 - 2 * price[:60] + rng.normal(size=60)).round(1)
    table = pd.DataFrame({"month": months.astype(str), "sales": sales, "price": price[:60]})
    table.to_csv(tmp_path / "sales.csv", sep=";", decimal=",", index=False)
    ahead = pd.period_range("2024-01", periods=3, freq="M").astype(str)
    pd.DataFrame({"month": ahead, "price": price[60:]}).to_csv(tmp_path / "plan.csv", index=False)
    gaps = table.drop(columns="price")
    gaps.loc[20:23, "sales"] = np.nan
    gaps.to_csv(tmp_path / "gaps.csv", index=False)
    shops = [pd.DataFrame({"shop": shop, "month": months.astype(str), "sales": rng.normal(size=60).cumsum().round(2)})
             for shop in ("north", "south")]
    pd.concat(shops).to_csv(tmp_path / "shops.csv", index=False)
    suite = re.search(r"```toml\n(.*?)```", (GUIDES / "suite.md").read_text("utf-8"), re.S)
    assert suite is not None
    (tmp_path / "mine.toml").write_text(suite[1], "utf-8")
    monkeypatch.chdir(tmp_path)


def test_every_guide_is_listed():
    listed = (GUIDES / "index.md").read_text("utf-8")
    assert {page.stem for page in GUIDES.glob("*.md")} - {"index"} == set(re.findall(r"\((\w+)\.md\)", listed))


@pytest.mark.usefixtures("files")
@pytest.mark.filterwarnings("default")  # a warning of ours is part of what a command says
@pytest.mark.parametrize("page", [page for page, commands in COMMANDS.items() if commands])
def test_its_commands_run(page):
    for command in COMMANDS[page]:
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, f"varnn {' '.join(command)}\n{done.output}"
