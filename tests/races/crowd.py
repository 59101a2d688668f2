"""Many at the same instant, each with a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(count: int, job: Callable[[int], Any]) -> list[Any]:
    """What `job` answers or raises for each number, all started together."""
    start = threading.Barrier(count)
    answers: list[Any] = [None] * count

    def run(number: int) -> None:
        try:
            start.wait(30)
            answers[number] = job(number)
        except Exception as exc:  # noqa: BLE001 - an answer like any other
            answers[number] = exc
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    return answers


def kinds(answers: list[Any]) -> dict[str, int]:
    """How many of each type of answer there were."""
    found: dict[str, int] = {}
    for answer in answers:
        name = type(answer).__name__
        found[name] = found.get(name, 0) + 1
    return found
