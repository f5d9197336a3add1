"""Pack the result of a benchmark for others: one zip with a manifest, the same bytes for the same result.

Called by `varnn benchmark publish`. What is packed is what `varnn benchmark verify` needs and what readers look at.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from varnn import __version__
from varnn.errors import StoreError
from varnn.harness.code import read_record
from varnn.harness.run import BOARD, CODE, SECONDS, report, results
from varnn.harness.suite import Suite
from varnn.writing import write_whole

MANIFEST = "manifest.json"
SUITE = "suite.toml"
PAGES = (SUITE, BOARD, CODE, SECONDS, "index.html")
EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip has to date its files; this one says nothing of when


@dataclass(frozen=True)
class Published:
    """A packed result.

    Attributes
    ----------
    path : Path
    files : dict of name to SHA-256
    citation : str
    """

    path: Path
    files: dict[str, str]
    citation: str


def publish(out: str | Path, to: str | Path | None = None) -> Published:
    """Pack the finished run in `out` into one zip file.

    Parameters
    ----------
    out : path
        Folder of a run, every job of which has a result.
    to : path, optional
        The zip file; NAME.zip beside the folder when left out.

    Raises
    ------
    StoreError
        If jobs wait or failed, or the files cannot be read or written.
    """
    folder = Path(out)
    found = results(folder)
    if found.waiting or found.failed:
        raise StoreError(f"{folder} is not finished: {len(found.waiting)} jobs wait and {len(found.failed)} failed; "
                         f"run varnn benchmark resume --out {folder}, and publish what is whole")
    report(folder)
    parts = {name: (folder / name).read_bytes() for name in PAGES if (folder / name).is_file()}
    parts |= {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*.html"))}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(parts.items())}
    suite = Suite.parse(parts[SUITE].decode(), SUITE)
    told = "".join(f"{name} {sums[name]}\n" for name in (SUITE, BOARD, CODE))  # pages and seconds differ between runs
    digest = hashlib.sha256(told.encode()).hexdigest()
    citation = cited(suite.title, digest)
    manifest = {"title": suite.title, "question": suite.question, "varnn": __version__, "result": digest,
                "citation": citation, "code": [str(piece) for piece in read_record(folder / CODE)],
                "check": f"unpack, then: varnn benchmark verify {folder.name}", "files": sums}
    parts[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    target = folder.with_suffix(".zip") if to is None else Path(to)
    return Published(write_whole(target, _zipped(parts, folder.name)), sums, citation)


def cited(title: str, digest: str) -> str:
    """Return how to cite a result: what it is, what made it, and the digest that tells it from any other.

    Examples
    --------
    >>> cited("smoke", "0123456789abcdef0123")
    'The varnn developers (0.1.0). varnn, benchmark "smoke", result 0123456789abcdef.'
    """
    return f'The varnn developers ({__version__}). varnn, benchmark "{title}", result {digest[:16]}.'


def _zipped(parts: dict[str, bytes], folder: str) -> bytes:
    """Return a zip whose bytes depend on nothing but names and contents."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(parts):
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, parts[name])
    return held.getvalue()
