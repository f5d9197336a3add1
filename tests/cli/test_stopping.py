"""Ctrl-C and SIGTERM end a command soon, say how to go on and leave no worker behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

SUITE = """
title = "long"
n_paths = 200
seeds = [0, 1, 2, 3]
[[data]]
name = "threshold_var"
options = { n = 400 }
horizon = 4
origins = 100
refit = 1
[models.TanhRNN]
"""


def group(leader: int) -> list[int]:
    """Return the living processes of a process group."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                state, _, its = file.read().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its) == leader and state != "Z":
            found.append(int(name))
    return found


def begun(tmp_path, *command: str) -> subprocess.Popen[str]:
    (tmp_path / "long.toml").write_text(SUITE)
    return subprocess.Popen([sys.executable, "-m", "varnn", *command], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_workers(process: subprocess.Popen[str], count: int) -> None:
    for _ in range(600):
        if len(group(process.pid)) >= count:
            time.sleep(3)
            return
        time.sleep(0.1)
    pytest.fail("the run did not begin")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads the processes from /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_says_how_to_go_on_and_leaves_no_worker(tmp_path, number, code):
    out = tmp_path / "out"
    process = begun(tmp_path, "benchmark", "run", str(tmp_path / "long.toml"), "--out", str(out), "--executor",
                    "processes", "--workers", "1")
    wait_for_workers(process, 2)
    sent = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == code, said
    assert f"varnn benchmark resume --out {out}" in " ".join(said.split()).replace(f"--out {out}", f"--out {out}")
    assert "stopped" in said
    while group(process.pid) and time.monotonic() - sent < 20:
        time.sleep(0.1)
    assert group(process.pid) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads the processes from /proc")
def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    process = begun(tmp_path, "benchmark", "run", str(tmp_path / "long.toml"), "--out", str(tmp_path / "out"),
                    "--executor", "processes", "--workers", "1")
    wait_for_workers(process, 2)
    process.kill()
    process.communicate(timeout=60)
    for _ in range(200):
        if not group(process.pid):
            return
        time.sleep(0.1)
    pytest.fail(f"workers live on: {group(process.pid)}")
