"""Results that survive: one checksummed line a job, appended and synced before the job counts as done.

Called by `run`. A torn or altered line is found by its checksum and only its job is done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from varnn.errors import StoreError

RESULTS = "results.log"
LOCK = "lock"
DIGEST = 32  # hexadecimal digits of each line's checksum


class Store:
    """The results of a benchmark in a folder.

    Each line of `results.log` is "checksum key payload". Only a line whose checksum fits counts; two lines with one
    key have to agree in everything but the seconds it took.

    Parameters
    ----------
    folder : Path
        Made if need be.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreError(f"the folder {folder} cannot be made: {problem.strerror}") from None
        self.folder = folder
        self.path = folder / RESULTS
        self.damaged = 0
        self._lock: IO[str] | None = None
        self._places = self._scan()

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def keys(self) -> list[str]:
        """Return the keys of the finished jobs, in the order they were finished."""
        return list(self._places)

    def read(self, key: str) -> str:
        """Return the payload of a finished job; the checksum is tested again."""
        found = _parsed(self._bytes(*self._places[key]))
        if found is None:
            raise StoreError(f"the result of job {key} in {self.path} was altered while it was being read; run resume")
        return found[1]

    def _bytes(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def add(self, results: Mapping[str, str]) -> None:
        """Append results and return when the disk has them.

        Raises
        ------
        StoreError
            If the disk is full or fails, or the lock of this run is gone; what was stored before is untouched.
        """
        self._need_lock()
        lines = {key: _line(key, payload) for key, payload in results.items()}
        before = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                _append(file, b"".join(lines.values()))
        except OSError as problem:
            with self.path.open("ab") as file:
                file.truncate(before)
            raise StoreError(f"the results cannot be written to {self.path}: {problem.strerror}; the {len(self)} jobs "
                             "finished before are safe, mend the disk and resume") from None
        for key, line in lines.items():
            self._places[key] = (before, len(line))
            before += len(line)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for one run at a time.

        Raises
        ------
        StoreError
            At once, if another run is at work in this folder.
        """
        with (self.folder / LOCK).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(f"another run is at work in {self.folder}; wait for it or use another "
                                 "folder") from None
            self._mend()
            self._places = self._scan()
            self._lock = file
            try:
                yield
            finally:
                self._lock = None

    def _need_lock(self) -> None:
        """Raise StoreError if the lock that this run holds was deleted: another run may be at work by now."""
        if self._lock is None:
            return
        held, path = os.fstat(self._lock.fileno()), self.folder / LOCK
        try:
            there = path.stat()
        except OSError:
            there = None
        if there is None or (there.st_ino, there.st_dev) != (held.st_ino, held.st_dev):
            raise StoreError(f"{path} was deleted while this run was at work, so that another one could begin beside "
                             "it; what is finished is kept: see that no other run is at work here, and resume")

    def _mend(self) -> None:
        """End a line that a crash cut off, so that the next one starts afresh."""
        if self.path.exists() and self.path.stat().st_size:
            with self.path.open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def _scan(self) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        self.damaged, start = 0, 0
        if not self.path.exists():
            return places
        with self.path.open("rb") as file:
            for line in file:
                found = _parsed(line)
                if found is None:
                    self.damaged += 1
                elif found[0] not in places:
                    places[found[0]] = (start, len(line))
                elif _untimed(line) != _untimed(self._bytes(*places[found[0]])):
                    raise StoreError(f"{self.path} holds two different results of job {found[0]}; one of them is of "
                                     "another run: delete the line that does not belong, or the file, and resume")
                start += len(line)
        return places


def _append(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _line(key: str, payload: str) -> bytes:
    body = f"{key} {payload}".encode()
    return hashlib.sha256(body).hexdigest()[:DIGEST].encode() + b" " + body + b"\n"


def _untimed(line: bytes) -> bytes:
    """Return what a line says besides its checksum and how long the job took."""
    return re.sub(rb'"seconds": [^,}]*', b"", line.rstrip(b"\n").partition(b" ")[2])


def _parsed(line: bytes) -> tuple[str, str] | None:
    digest, _, body = line.rstrip(b"\n").partition(b" ")
    if hashlib.sha256(body).hexdigest()[:DIGEST].encode() != digest:
        return None
    key, _, payload = body.decode().partition(" ")
    return key, payload
