"""Make a virtual environment with pip in it, also where Debian's python3-venv is not installed.

Usage: python3 tools/environment.py FOLDER. Standard library only; called by the Makefile.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import venv
from pathlib import Path
from urllib.parse import urljoin

OLDEST = (3, 11)
PIP_ON_PYPI = "https://pypi.org/pypi/pip/json"
REMEDY = "install it with `sudo apt-get install python3-venv` and run make again"


def main(folder: str) -> int:
    """Make the environment in `folder` unless a working one is there; return the exit code."""
    home = Path(folder)
    python = home / "bin" / "python"
    if sys.version_info < OLDEST:
        wanted, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
        return refuse(f"varnn needs Python {wanted} or later, {sys.executable} is {found}; "
                      "name another one with `make PYTHON=python3.12 …`")
    if has_pip(python):
        return 0
    print(f"making a virtual environment in {home}", file=sys.stderr)
    with_pip = importlib.util.find_spec("ensurepip") is not None
    try:
        venv.EnvBuilder(with_pip=with_pip, clear=home.exists(), symlinks=True).create(home)
    except (OSError, subprocess.CalledProcessError) as problem:
        print(f"venv could not install pip ({problem}); trying without", file=sys.stderr)
        venv.EnvBuilder(with_pip=False, clear=True, symlinks=True).create(home)
    if has_pip(python) or pip_from_host(python) or pip_from_uv(python) or pip_from_pypi(python):
        return 0
    return refuse(f"this Python has no ensurepip and pip could not be fetched; {REMEDY}")


def has_pip(python: Path) -> bool:
    """Say whether this interpreter exists and runs pip."""
    return python.exists() and quietly([str(python), "-m", "pip", "--version"])


def pip_from_host(python: Path) -> bool:
    """Let the pip of the calling Python, where it has one, install pip into the environment."""
    return quietly([sys.executable, "-m", "pip", "--python", str(python), "install", "pip"]) and has_pip(python)


def pip_from_uv(python: Path) -> bool:
    """Let uv, where it is installed, install pip into the environment."""
    uv = shutil.which("uv")
    return uv is not None and quietly([uv, "pip", "install", "--python", str(python), "pip"]) and has_pip(python)


def pip_from_pypi(python: Path) -> bool:
    """Fetch pip's own wheel, compare its checksum with the index and let it install itself."""
    try:
        with urllib.request.urlopen(PIP_ON_PYPI, timeout=60) as answer:
            wheel = next(one for one in json.load(answer)["urls"] if one["packagetype"] == "bdist_wheel")
        with urllib.request.urlopen(urljoin(PIP_ON_PYPI, wheel["url"]), timeout=120) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError, StopIteration, ValueError) as problem:
        print(f"pip could not be fetched from PyPI: {problem}", file=sys.stderr)
        return False
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        print("the wheel of pip that PyPI sent has another checksum than its index says", file=sys.stderr)
        return False
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / wheel["filename"]
        path.write_bytes(content)
        return quietly([str(python), f"{path}/pip", "install", "--no-index", str(path)]) and has_pip(python)


def quietly(command: list[str]) -> bool:
    """Run a command without output and say whether it succeeded."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def refuse(message: str) -> int:
    """Print why it cannot go on; exit code 1."""
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else refuse("usage: python3 tools/environment.py FOLDER"))
