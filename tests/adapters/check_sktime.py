"""Run sktime's check_estimator on every class: python -m tests.adapters.check_sktime [CLASS …].

Prints how many checks each class passed of how many, and its seconds; exit code 1 where one did not pass.
"""

from __future__ import annotations

import sys
import time
import warnings


def main(names: list[str]) -> int:
    warnings.simplefilter("ignore")
    from sktime.utils.estimator_checks import check_estimator

    from varnn.adapters.sktime import FORECASTERS

    wrong = 0
    for kind in FORECASTERS:
        if names and kind.__name__ not in names:
            continue
        began = time.perf_counter()
        working = time.process_time()
        results = check_estimator(kind, raise_exceptions=False, verbose=False)
        failed = {name: result for name, result in results.items() if result != "PASSED"}
        print(f"{kind.__name__:14} {len(results) - len(failed)} of {len(results)} passed, "
              f"{time.perf_counter() - began:.0f} s ({time.process_time() - working:.0f} s of work)", flush=True)
        for name, result in list(failed.items())[:10]:
            print(f"    {name}: {result}")
        wrong += len(failed)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
