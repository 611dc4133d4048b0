"""What a harvest of torch's newest releases costs, with an empty cache: requests, bytes, seconds. Needs an index."""

import argparse
import sys
import tempfile
import time

from cudafit.matrix.harvest.cache import Cache
from cudafit.matrix.harvest.harvest import harvest
from cudafit.matrix.harvest.index import default_index


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--since", default="2.14")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        first = {"torch": options.since}
        result = harvest(["torch"], default_index(), "pypi", "2026-01-01", cache=Cache(folder), since=first)
        taken = time.perf_counter() - start
    for failure in result.failures:
        print(f"not read: {failure}")
    print(
        f"torch >= {options.since}: {len(result.builds)} builds, {result.requests} requests, "
        f"{result.bytes / 2**20:.1f} MiB, {taken:.1f} s (goals: under 100 MB, under a minute)"
    )
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
