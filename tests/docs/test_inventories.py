"""Links to the neighbours' documentation come with a network, and a build without one goes on without them."""

from __future__ import annotations

import importlib.util
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2] / "docs" / "_ext" / "inventories.py"


@pytest.fixture(scope="module")
def inventories():
    found = importlib.util.spec_from_file_location("inventories", HOME)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.inventories


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    served = tmp_path / "site"
    for name, content in (("numpy", b"# Sphinx inventory version 2\n"), ("portal", b"<html>log in first</html>")):
        (served / name).mkdir(parents=True)
        (served / name / "objects.inv").write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_an_index_that_comes_is_kept(inventories, site, tmp_path):
    folder = tmp_path / "kept"
    expected = {"numpy": (f"{site}numpy/", str(folder / "numpy.inv"))}
    assert inventories({"numpy": f"{site}numpy/"}, folder) == expected
    assert inventories({"numpy": "http://127.0.0.1:9/"}, folder) == {
        "numpy": ("http://127.0.0.1:9/", str(folder / "numpy.inv"))}  # asked for once


@pytest.mark.parametrize("address", ["nothing/", "portal/"])
def test_one_that_does_not_come_or_is_none_is_left_out(inventories, site, address, tmp_path):
    found = inventories({"them": f"{site}{address}", "numpy": f"{site}numpy/"}, tmp_path / "kept")
    assert list(found) == ["numpy"]
    assert [index.name for index in (tmp_path / "kept").iterdir()] == ["numpy.inv"]


def test_without_a_network_there_are_none(inventories, tmp_path):
    assert inventories({"numpy": "http://127.0.0.1:9/", "pandas": "http://127.0.0.1:9/"}, tmp_path) == {}
