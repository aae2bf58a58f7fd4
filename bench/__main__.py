"""``python -m bench``: all benchmarks, one after the other, and one table.

Each runs in a process of its own, so that none measures the threads and caches of
another. ``--quick`` is a smoke test of the benchmarks themselves.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from .report import Line, print_table

BENCHMARKS = (
    "latency",
    "cpu",
    "drain",
    "memory",
    "freshness",
    "backlog",
    "overview",
    "export",
    "access_log",
    "storage",
    "queries",
    "cardinality",
    "api",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only a smoke test")
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME")
    options = parser.parse_args()
    lines, failed = [], []
    for name in options.names or BENCHMARKS:
        command = [sys.executable, "-m", f"bench.{name}", "--json"]
        result = subprocess.run(
            command + ["--quick"] * options.quick, stdout=subprocess.PIPE, text=True
        )
        lines += [Line(**json.loads(line)) for line in result.stdout.splitlines()]
        if result.returncode:
            failed.append(name)
    print_table(lines)
    for name in failed:
        print(f"bench.{name} failed; its traceback is above.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
