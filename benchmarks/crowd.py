"""Eight clients at once, in a process of their own: `python -m benchmarks.crowd < calls.json`.

Reads `{"port", "clients", "calls"}` and writes the milliseconds of each answer.
"""

import json
import sys
import threading
import time

from benchmarks.serving import Call, Client


def client(port: int, calls: list[Call], took: list[float], start: threading.Barrier) -> None:
    line = Client(port)
    line.get("/healthz")
    start.wait()
    for call in calls:
        began = time.perf_counter()
        answer = line.send(call.method, call.path, call.token, call.body)
        took.append(1000 * (time.perf_counter() - began))
        if answer.status not in (200, 201):
            raise RuntimeError(f"{call.path}: {answer.status} {answer.body[:300]!r}")


def main() -> None:
    told = json.load(sys.stdin)
    calls = [Call(**each) for each in told["calls"]]
    clients = told["clients"]
    took: list[float] = []
    start = threading.Barrier(clients)
    threads = [
        threading.Thread(target=client, args=(told["port"], calls[n::clients], took, start))
        for n in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(took) != len(calls):
        sys.exit(f"{len(calls) - len(took)} calls were not answered")
    json.dump(took, sys.stdout)


if __name__ == "__main__":
    main()
