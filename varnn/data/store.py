"""Bytes with a checksum: from the folder VARNN_DATA, from the cache, or from the public address.

Called by the catalogue for data sets described in a .toml file. Nothing unverified is returned.
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from varnn.errors import ChecksumError, ResourceLimitError, StoreError, UnsafePathError

LARGEST = 256 * 2**20  # bytes; the largest registered file has 10 MiB
SECONDS, MOST_SECONDS = 30.0, 600.0  # of silence, and of a download in all
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of a data set.

    Parameters
    ----------
    address : str         public https address, pinned to a commit
    file : str            its place inside the folder named by VARNN_DATA
    sha256_raw : str      of the bytes at the address
    sha256_file : str     of the bytes in VARNN_DATA (differs when gzipped there)
    converted : str       how `file` was made when the address holds another format; then it
                          cannot be downloaded, only read from VARNN_DATA
    """

    address: str
    file: str
    sha256_raw: str
    sha256_file: str
    converted: str = ""

    def __post_init__(self) -> None:
        path = PurePosixPath(self.file)
        if not self.file or path.is_absolute() or ".." in path.parts or "\\" in self.file or ":" in self.file:
            raise UnsafePathError(f"file={self.file!r} leaves the data folder; use a relative path without '..'")
        if urlsplit(self.address).scheme != "https":
            raise UnsafePathError(f"address={self.address!r} is not an https address")
        for digest in (self.sha256_raw, self.sha256_file):
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ChecksumError(f"{digest!r} is not a SHA-256 in lower-case hexadecimal")


def mirror_folder() -> Path | None:
    """Return the folder named by VARNN_DATA, or None when it is not set."""
    named = os.environ.get("VARNN_DATA", "")
    return Path(named).expanduser() if named else None


def cache_folder() -> Path:
    """Return VARNN_CACHE, or the platform's cache folder for varnn."""
    named = os.environ.get("VARNN_CACHE", "")
    if named:
        return Path(named).expanduser()
    try:
        import pooch
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache") / "varnn"
    return Path(pooch.os_cache("varnn"))


def whereabouts(source: Source) -> str:
    """Return where the file would be read from now: "mirror", "cache", "address" or "mirror only"."""
    mirror = _in_mirror(source)
    if mirror is not None and mirror.is_file():
        return "mirror"
    if _in_cache(source).is_file():
        return "cache"
    return "mirror only" if source.converted else "address"


def fetch(source: Source, *, download: bool = True) -> Path:
    """Return the path of a verified copy, downloading it into the cache if need be.

    Raises
    ------
    ChecksumError     when the bytes found are not the recorded ones
    StoreError        when there is no copy and none can be downloaded
    """
    mirror = _in_mirror(source)
    if mirror is not None and mirror.is_file():
        return _verified(mirror, {source.sha256_file, source.sha256_raw})
    cached = _in_cache(source)
    if cached.is_file() and _sha256(cached) == source.sha256_raw:
        return cached
    if source.converted:
        raise StoreError(f"{source.file} is not in VARNN_DATA ({mirror_folder() or 'not set'}) and cannot be "
                         f"downloaded as it is: {source.converted}, from {source.address}; make the file and set "
                         "VARNN_DATA to the folder that holds it")
    if not download or os.environ.get("VARNN_OFFLINE", "") not in ("", "0"):
        raise StoreError(f"{source.file} is neither in VARNN_DATA ({mirror_folder() or 'not set'}) nor in the cache "
                         f"({cached.parent}), and downloading is off; run `varnn data fetch` where there is a network, "
                         "or set VARNN_DATA")
    _download(source, cached)
    return _verified(cached, {source.sha256_raw})


def contents(source: Source, *, download: bool = True) -> bytes:
    """Return the verified bytes of a source, unpacked when they are gzipped."""
    path = fetch(source, download=download)
    found = path.read_bytes()
    return _unpacked(found, path) if found.startswith(GZIP) else found


def _in_mirror(source: Source) -> Path | None:
    root = mirror_folder()
    if root is None:
        return None
    path = (root / source.file).resolve()
    if not path.is_relative_to(root.resolve()):
        raise UnsafePathError(f"{source.file!r} leads to {path}, outside VARNN_DATA ({root})")
    return path


def _in_cache(source: Source) -> Path:
    name = PurePosixPath(urlsplit(source.address).path).name or "data"
    return cache_folder() / f"{source.sha256_raw[:16]}-{name}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(2**20), b""):
                digest.update(block)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read ({problem.strerror or problem})") from problem
    return digest.hexdigest()


def _verified(path: Path, expected: set[str]) -> Path:
    found = _sha256(path)
    if found not in expected:
        raise ChecksumError(f"{path} has SHA-256 {found}, recorded is {' or '.join(sorted(expected))}; "
                            "the file is damaged or another version: remove it and fetch it again")
    return path


def _unpacked(packed: bytes, path: Path) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(packed, LARGEST)
    except zlib.error as problem:
        raise StoreError(f"{path} is not a readable gzip file ({problem})") from problem
    if unpacker.unconsumed_tail:
        raise ResourceLimitError(f"{path} unpacks to more than {LARGEST} bytes")
    return data


def _download(source: Source, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _downloader()(source, target)
    except ChecksumError:
        raise
    except OSError as problem:  # includes urllib's and requests' own errors
        raise StoreError(f"{source.address} could not be downloaded to {target} "
                         f"({type(problem).__name__}: {problem}); check the network, or set VARNN_DATA to a folder "
                         f"that holds {source.file}") from problem


def _downloader() -> Callable[[Source, Path], None]:
    try:
        import pooch  # noqa: F401
    except ImportError:
        return _by_urllib
    return _by_pooch


def _by_pooch(source: Source, target: Path) -> None:
    import pooch

    def limited(address: str, file: str | Path, _: object) -> None:
        with Path(file).open("wb") as stream:
            stream.writelines(_blocks(address))

    try:
        pooch.retrieve(source.address, known_hash=f"sha256:{source.sha256_raw}", fname=target.name,
                       path=target.parent, downloader=limited)
    except ResourceLimitError:
        raise
    except ValueError as problem:  # what pooch raises for a wrong hash
        raise ChecksumError(f"{source.address} no longer holds the recorded bytes ({problem})") from problem


def _by_urllib(source: Source, target: Path) -> None:
    received = b"".join(_blocks(source.address))
    found = hashlib.sha256(received).hexdigest()
    if found != source.sha256_raw:
        raise ChecksumError(f"{source.address} holds SHA-256 {found}, recorded is {source.sha256_raw}")
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    partial.write_bytes(received)
    partial.replace(target)


def _blocks(address: str) -> Iterator[bytes]:
    """Yield what an address sends, as it comes; no more than `LARGEST` bytes, no longer than `MOST_SECONDS` in all."""
    from urllib.request import Request, urlopen

    end, size = time.monotonic() + MOST_SECONDS, 0
    request = Request(address, headers={"User-Agent": "varnn"})
    with urlopen(request, timeout=SECONDS) as answer:  # nosec B310: addresses are https, from the catalogue
        while block := answer.read1(2**16):  # what has come, so that a server that drips is noticed
            size += len(block)
            if size > LARGEST:
                raise ResourceLimitError(f"{address} sends more than {LARGEST} bytes")
            if time.monotonic() > end:
                raise ResourceLimitError(f"{address} has sent {size} bytes in {MOST_SECONDS:g} s and is not done; try "
                                         "again on a faster line, or set VARNN_DATA to a folder that holds the file")
            yield block
