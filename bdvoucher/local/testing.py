"""`./run test`: the whole suite in parallel, or what the arguments name."""

import os
import sys

import pytest

MOST_WORKERS = 4


def main(arguments: list[str]) -> int:
    if not arguments:
        # Two more than cores: who tells journeys mostly waits for what the shop does.
        os.environ.setdefault("BDV_PATIENCE", "3")
        workers = min((os.cpu_count() or 1) + 2, MOST_WORKERS)
        arguments = ["-n", str(workers), "--dist", "loadscope", "-q"]
    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
