"""The indexes of the neighbours' documentation, as far as they answer.

A build without a network goes on without their links: Sphinx itself would take a missing index for a warning, and this
documentation is built with warnings as errors.
"""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

WAIT = 5  # seconds for one answer


def inventories(sites: dict[str, str], folder: Path) -> dict[str, tuple[str, str]]:
    """Return the sites whose index is in the folder, fetched there once, in the form intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, site in sites.items():
        try:
            fetch(f"{site}objects.inv", folder / f"{name}.inv")
        except HTTPError:
            continue  # this site has none
        except OSError:
            break     # there is no network, and no reason to wait for the others
    kept = {name: folder / f"{name}.inv" for name in sites}
    return {name: (sites[name], str(index)) for name, index in kept.items() if index.is_file()}


def fetch(address: str, index: Path) -> None:
    """Write an index to a file that is not there yet, if what comes is one."""
    if index.is_file():
        return
    with urlopen(Request(address, headers={"User-Agent": "Sphinx"}), timeout=WAIT) as answer:
        content = answer.read()
    if content.startswith(b"# Sphinx inventory version"):
        index.write_bytes(content)
