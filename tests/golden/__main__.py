"""Write a digest of every case: `python -m tests.golden FILE`, before and after a change, on one machine.

`python -m tests.golden --numbers` writes the committed numbers that `test_golden` reads.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np

from tests.golden.cases import Arrays, cases
from tests.golden.test_golden import FLAT, NUMBERS, PORTABLE


def digest(arrays: Arrays) -> str:
    """Return the digest of the names and bits of some arrays."""
    found = hashlib.sha256()
    for name, array in arrays.items():
        found.update(name.encode())
        found.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return found.hexdigest()[:16]


def main(target: str) -> None:
    """Compute all cases and write their digests, or the numbers of the portable ones."""
    warnings.simplefilter("ignore")
    if target == "--numbers":
        kept = {name: {part: array.tolist() for part, array in compute().items() if part in PORTABLE}
                for name, compute in cases() if name not in FLAT}
        NUMBERS.write_text(json.dumps({name: parts for name, parts in kept.items() if parts}, indent=0) + "\n",
                           encoding="utf-8")
        return
    found = {name: digest(compute()) for name, compute in cases()}
    Path(target).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
