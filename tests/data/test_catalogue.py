"""Names, words and errors of the catalogue; the bundled sets; nothing here needs a file or a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import varnn.data as data
from varnn.data.catalogue import described_by
from varnn.errors import ChecksumError, DataNameError, ParameterError, UnsafePathError
from varnn.series import Series

BUNDLED = {"macrodata": 4, "interest_inflation": 4, "danish_data": 4, "elnino": 12, "co2": 52, "sunspots": 11}
DIGEST = "0" * 64


def test_the_six_bundled_sets_are_found_by_name():
    assert set(data.names(origin="bundled")) == set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_set_passes_the_input_gate_and_has_the_shape_it_announces(name):
    loaded = data.load(name)
    assert Series.of(loaded.frame).values.shape == data.about(name).shape == loaded.frame.shape
    assert loaded.season == BUNDLED[name]
    assert loaded.oracle is None
    assert set(loaded.labels) == set(loaded.frame.columns)
    assert all(len(label) > 2 for label in loaded.labels.values())
    for words in (loaded.title, loaded.licence, loaded.citation, loaded.source, loaded.transform):
        assert words


def test_macrodata_is_a_hundred_times_the_log_difference():
    from statsmodels.datasets import macrodata

    levels = macrodata.load_pandas().data[["realgdp", "realcons", "realinv"]].to_numpy()
    frame = data.load("macrodata").frame
    assert_allclose(frame.to_numpy(), 100 * np.diff(np.log(levels), axis=0))
    assert str(frame.index[0]) == "1959Q2"
    assert str(frame.index[-1]) == "2009Q3"


def test_elnino_reads_across_the_months_of_a_year_before_the_next_year():
    frame = data.load("elnino").frame["temperature"]
    assert frame["1950-01"] == 23.11
    assert frame["1950-02"] == 24.20
    assert frame["2010-12"] == 22.07


def test_co2_fills_its_59_gaps_and_leaves_every_measurement_alone():
    from statsmodels.datasets import co2

    raw, filled = co2.load_pandas().data["co2"], data.load("co2").frame["co2"]
    assert raw.isna().sum() == 59
    assert not filled.isna().any()
    pd.testing.assert_series_equal(filled[raw.notna()], raw.dropna(), check_freq=False, check_names=False)


def test_the_catalogue_has_a_row_a_name_and_loads_nothing():
    table = data.catalogue()
    assert tuple(table.index) == data.names()
    assert set(table["origin"]) == {"bundled", "simulated", "remote"}
    assert (table["rows"] > 0).all()
    assert (table["season"] >= 1).all()
    assert table["title"].str.len().min() > 3


def test_names_ignore_case_and_hyphens():
    assert data.about("ETTh1").name == "etth1"
    assert data.about("Fred-MD").name == "fred_md"


@pytest.mark.parametrize("name", ["macrodat", "", 3, None, "../errors", "_store", "processes", "user.csv"])
def test_an_unknown_name_is_refused_with_a_hint(name):
    with pytest.raises(DataNameError, match="no data set is named"):
        data.load(name)


def test_the_hint_is_the_nearest_name():
    with pytest.raises(DataNameError, match="did you mean 'macrodata'"):
        data.load("macrodat")


def test_a_bundled_set_takes_no_options():
    with pytest.raises(ParameterError, match="takes no options, got n"):
        data.load("elnino", n=3)


def test_the_fingerprint_changes_with_one_number_and_only_then():
    first, second = data.load("tar", n=50, seed=1), data.load("tar", n=50, seed=1)
    assert first.fingerprint == second.fingerprint
    second.frame.iloc[7, 0] += 1e-12
    assert first.fingerprint != second.fingerprint


def test_describe_names_size_licence_and_source():
    text = data.load("danish_data").describe()
    for part in ("55 rows × 5 columns", "public domain", "Johansen", "statsmodels.datasets"):
        assert part in text


FILE = (f'[file.main]\naddress = "https://x.org/a.csv"\nfile = "a.csv"\n'
        f'sha256_raw = "{DIGEST}"\nsha256_file = "{DIGEST}"\n')


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('title = "t"\ncolour = "red"\n' + FILE, ParameterError, "unknown key 'colour'"),
        ('title = "t"\n[read]\nkind = "xml"\n' + FILE, ParameterError, "kind='xml'"),
        ('title = "t"\n[read]\nskip = 3\n' + FILE, ParameterError, "unknown key 'skip'"),
        ('title = "t"\n', ParameterError, r"no \[file.main\]"),
        ('title = "t"\n' + FILE.replace("sha256_raw", "md5"), ParameterError, "md5"),
        ('title = "t"\n' + FILE.replace('"a.csv"', '"../../etc/passwd"'), UnsafePathError, "leaves the data folder"),
        ('title = "t"\n' + FILE.replace('"a.csv"', '"/etc/passwd"'), UnsafePathError, "leaves the data folder"),
        ('title = "t"\n' + FILE.replace('"a.csv"', '"..\\\\\\\\a"'), UnsafePathError, "leaves the data folder"),
        ('title = "t"\n' + FILE.replace("https://", "file://"), UnsafePathError, "not an https address"),
        ('title = "t"\n' + FILE.replace(DIGEST, "abc"), ChecksumError, "not a SHA-256"),
    ],
)
def test_a_toml_file_that_is_wrong_or_unsafe_is_refused(tmp_path, text, error, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(error, match=message):
        described_by(path)


@pytest.mark.parametrize("name", data.names(origin="remote"))
def test_every_remote_set_says_what_a_user_must_know(name):
    words = data.about(name)
    assert words.title
    assert words.licence
    assert words.citation
    assert words.source.startswith("https://")
    assert min(words.shape) > 0
    assert sum(words.split) <= words.shape[0]
