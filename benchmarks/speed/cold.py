"""What the first use costs, importing and compiling, and every use after: `python -m benchmarks.speed.cold`.

A process with an empty folder for compiled code fits and forecasts with VAR, LinearRNN and TanhRNN; another does the
same again.  The difference of their processor seconds is what compiling costs, once.  Writes
benchmarks/results/speed/cold.json.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed.var import machine

OUT = Path(__file__).parents[1] / "results" / "speed" / "cold.json"
IMPORT = ("import time; begun = time.process_time(); import varnn; spent = time.process_time() - begun; import sys; "
          "print(spent, 'torch' in sys.modules or 'statsmodels' in sys.modules)")
FIRST_USE = """
import json, time
import numpy as np
y = np.random.default_rng(0).normal(size=(200, 3))
y[1:] += 0.5 * y[:-1]
clock, spent = time.perf_counter(), {}
for name in ("VAR", "LinearRNN", "TanhRNN"):
    begun = time.process_time()
    import varnn
    getattr(varnn, name)().fit(y).forecast(8)
    spent[name] = time.process_time() - begun
spent["wall"] = time.perf_counter() - clock
print(json.dumps(spent))
"""


def run(code: str, cache: str | None = None) -> tuple[str, str]:
    """Run a process, perhaps with a folder of its own for compiled code; standard output and error."""
    where = {**os.environ, "OPENBLAS_NUM_THREADS": "1"} | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=where)
    return found.stdout, found.stderr


def main() -> None:
    """Measure and write."""
    imports = [run(IMPORT)[0].split() for _ in range(5)]
    rounds: list[dict[str, Any]] = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as cache:
            (first, said), (later, quiet) = run(FIRST_USE, cache), run(FIRST_USE, cache)
        one, two = json.loads(first), json.loads(later)
        rounds.append({"first": one, "later": two, "says": said.strip(), "later_says": quiet.strip(),
                       "compiling_s": sum(one[name] - two[name] for name in ("VAR", "LinearRNN", "TanhRNN"))})
    compiling = statistics.median(round_["compiling_s"] for round_ in rounds)
    imported = statistics.median(float(spent) for spent, _ in imports)
    found = {"import_s": imported, "import_target_s": 0.6, "import_loads_torch_or_statsmodels": imports[0][1] == "True",
             "compiling_s": compiling, "compiling_target_s": 6.0, "rounds": rounds,
             "machine": machine() | {"command": "python -m benchmarks.speed.cold"}}
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"import varnn {imported:.3f} s; compiling {compiling:.2f} s; says {rounds[0]['says']!r}")


if __name__ == "__main__":
    main()
