"""`./run test`: the whole suite in parallel, or what the arguments name."""

import os
import sys

import pytest

MOST_WORKERS = 4


def main(arguments: list[str]) -> int:
    if not arguments:
        workers = max(2, min(os.cpu_count() or 2, MOST_WORKERS))
        # A group is a journey's: those share a shop. The rest goes to whoever is free.
        arguments = ["-n", str(workers), "--dist", "loadgroup", "-q"]
    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
