"""Where bytes come from, in which order, and that none are believed without their checksum."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from varnn.data import store as _store
from varnn.data.store import Source, contents, fetch, whereabouts
from varnn.errors import ChecksumError, ResourceLimitError, StoreError, UnsafePathError

RAW = b"a,b\n1,2\n3,4\n"
PACKED = gzip.compress(RAW, mtime=0)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def source() -> Source:
    return Source(address="https://example.org/pinned/a.csv", file="set/a.csv.gz",
                  sha256_raw=digest(RAW), sha256_file=digest(PACKED))


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    (folder / "set").mkdir(parents=True)
    monkeypatch.setenv("VARNN_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VARNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VARNN_DATA", raising=False)
    monkeypatch.delenv("VARNN_OFFLINE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def server(monkeypatch):
    """Serve `answer`; count the requests."""

    class Server:
        answer: bytes | Exception = RAW
        requests = 0

        def __call__(self, source, target):
            self.requests += 1
            if isinstance(self.answer, Exception):
                raise self.answer
            target.write_bytes(self.answer)

    served = Server()
    monkeypatch.setattr(_store, "_downloader", lambda: served)
    return served


def test_the_mirror_comes_first_and_gzip_is_unpacked(source, mirror, server):
    (mirror / "set/a.csv.gz").write_bytes(PACKED)
    assert contents(source) == RAW
    assert whereabouts(source) == "mirror"
    assert server.requests == 0


def test_without_a_mirror_the_file_is_downloaded_once_and_then_cached(source, server):
    assert whereabouts(source) == "address"
    assert contents(source) == RAW
    assert contents(source) == RAW
    assert whereabouts(source) == "cache"
    assert server.requests == 1


def test_a_flipped_byte_in_the_mirror_is_detected_and_named(source, mirror):
    damaged = bytearray(PACKED)
    damaged[-3] ^= 1
    (mirror / "set/a.csv.gz").write_bytes(damaged)
    with pytest.raises(ChecksumError, match=r"a.csv.gz has SHA-256 .* damaged or another version"):
        contents(source)


def test_a_damaged_cached_copy_is_fetched_again(source, server):
    fetch(source).write_bytes(b"rotten")
    assert contents(source) == RAW
    assert server.requests == 2


def test_wrong_bytes_from_the_network_are_refused(source, server):
    server.answer = b"<html>moved</html>"
    with pytest.raises(ChecksumError):
        contents(source)


def test_no_network_is_an_error_with_a_remedy(source, server):
    server.answer = OSError("no route to host")
    with pytest.raises(StoreError, match=r"could not be downloaded .*no route to host.* set VARNN_DATA"):
        contents(source)


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_downloading_can_be_switched_off(source, server, how, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("VARNN_OFFLINE", "1")
    with pytest.raises(StoreError, match="downloading is off"):
        fetch(source, download=how != "argument")
    assert server.requests == 0


def test_a_converted_file_is_only_read_from_the_mirror(source, mirror, server):
    rda = Source(address=source.address, file=source.file, sha256_raw=source.sha256_raw,
                 sha256_file=source.sha256_file, converted="the address holds an .rda")
    assert whereabouts(rda) == "mirror only"
    with pytest.raises(StoreError, match=r"cannot be downloaded as it is: the address holds an \.rda"):
        fetch(rda)
    assert server.requests == 0


def test_a_link_that_leads_out_of_the_mirror_is_refused(source, mirror, tmp_path):
    (tmp_path / "secret").write_bytes(PACKED)
    (mirror / "set/a.csv.gz").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePathError, match="outside VARNN_DATA"):
        contents(source)


def test_a_file_that_unpacks_to_too_much_is_refused(mirror, monkeypatch):
    bomb = gzip.compress(b"0" * 100_000)
    monkeypatch.setattr(_store, "LARGEST", 1000)
    (mirror / "bomb.gz").write_bytes(bomb)
    source = Source(address="https://example.org/b", file="bomb.gz", sha256_raw=digest(bomb), sha256_file=digest(bomb))
    with pytest.raises(ResourceLimitError, match="unpacks to more than 1000 bytes"):
        contents(source)


def test_pooch_is_asked_for_the_recorded_hash_and_its_refusal_becomes_ours(source, monkeypatch):
    pooch = pytest.importorskip("pooch")
    asked = {}

    def retrieve(url, known_hash, fname, path, downloader):
        asked.update(url=url, known_hash=known_hash)
        raise ValueError("SHA256 hash of downloaded file does not match")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(ChecksumError, match="no longer holds the recorded bytes"):
        contents(source)
    assert asked == {"url": source.address, "known_hash": f"sha256:{source.sha256_raw}"}


@pytest.mark.parametrize("answer", [RAW, b"another"])
def test_urllib_serves_where_pooch_is_absent(source, monkeypatch, answer, cache):
    import io
    import urllib.request

    monkeypatch.setattr(_store, "_downloader", lambda: _store._by_urllib)
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: io.BytesIO(answer))
    if answer == RAW:
        assert contents(source) == RAW
        assert not list(cache.glob("*.part"))
    else:
        with pytest.raises(ChecksumError):
            contents(source)
        assert not list(cache.iterdir())


@pytest.fixture
def dripping():
    """Return the address of a server that sends a byte at a time and never ends."""

    class Drip(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(400):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.02)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/set.csv"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("way", ["_by_urllib", "_by_pooch"])
@pytest.mark.parametrize(("limit", "value", "words"), [
    ("MOST_SECONDS", 0.2, "is not done"), ("LARGEST", 3, "sends more than 3 bytes")])
def test_a_download_that_is_endless_or_too_large_is_ended(dripping, monkeypatch, tmp_path, way, limit, value, words):
    if way == "_by_pooch":
        pytest.importorskip("pooch")
    monkeypatch.setattr(_store, limit, value)
    source = Source(address="https://example.org/set.csv", file="set.csv", sha256_raw=digest(RAW),
                    sha256_file=digest(RAW))
    blocks = _store._blocks
    monkeypatch.setattr(_store, "_blocks", lambda _: blocks(dripping))
    with pytest.raises(ResourceLimitError, match=words):
        getattr(_store, way)(source, tmp_path / "set.csv")
    assert not list(tmp_path.iterdir())
