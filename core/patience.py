"""How long whoever is waited for will wait: a deadline around a request or a task.

A database that refuses is answered at once; one that *hangs* takes a connection and never says a
word, and no time limit of its own can help. So a connection of ours waits until the deadline of the
work it is for, and is closed then. Commands at a terminal have none: a person can end them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import psycopg
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from psycopg.errors import _WaitTimeout

T = TypeVar("T")
#: What is left to say no, once the deadline is over.
_LEAST: Final = 0.05
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Inside, nobody waits for the database for longer than this, all statements together."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def left() -> float | None:
    """Seconds until the deadline; None where there is none."""
    deadline = _deadline.get()
    return None if deadline is None else max(_LEAST, deadline - time.monotonic())


class PatientConnection(psycopg.Connection[Any]):
    """Waits for an answer until the deadline, and is of no use to anybody after it."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        seconds = left()
        if seconds is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout:
            self.close()
            raise psycopg.OperationalError("the database does not answer") from None


class PatienceMiddleware:
    """A request waits for the database for `DATABASE_ANSWER_SECONDS` altogether."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with patience(settings.DATABASE_ANSWER_SECONDS):
            return self.get_response(request)
