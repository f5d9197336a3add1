"""The indexes of the neighbours' documentation, as far as they answer.

A build without a network goes on without their links: Sphinx itself would take a missing index for a warning, and this
documentation is built with warnings as errors.
"""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

WAIT = 5  # seconds for one answer


def inventories(sites: dict[str, str], folder: Path) -> dict[str, tuple[str, str]]:
    """Return the sites whose index is in the folder, fetched there once, in the form intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, site in sites.items():
        index = folder / f"{name}.inv"
        if not index.is_file() and not fetched(f"{site}objects.inv", index):
            break  # where one does not answer there is no network, and no reason to wait for the others
        found[name] = (site, str(index))
    return found


def fetched(address: str, index: Path) -> bool:
    """Write an index to a file; return whether it came and is one."""
    try:
        with urlopen(Request(address, headers={"User-Agent": "Sphinx"}), timeout=WAIT) as answer:
            content = answer.read()
    except OSError:
        return False
    if not content.startswith(b"# Sphinx inventory version"):
        return False
    index.write_bytes(content)
    return True
