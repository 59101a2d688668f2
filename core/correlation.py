"""One id for everything a request or task sets going (D11)."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import structlog

HEADER: Final = "X-Correlation-ID"
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_current: ContextVar[str] = ContextVar("correlation_id", default="")


def new_id() -> str:
    return str(uuid.uuid4())


def current() -> str:
    """The id of the work under way; a fresh one where nothing has begun yet."""
    known = _current.get()
    if not known:
        known = new_id()
        _current.set(known)
    return known


def accepted(offered: str | None) -> str:
    """The id a caller offers if it is harmless in a log line, else a new one."""
    return offered if offered and _SHAPE.fullmatch(offered) else new_id()


@contextmanager
def correlated(correlation_id: str) -> Iterator[str]:
    """Make every log record, event and outgoing header inside carry this id."""
    token = _current.set(correlation_id)
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
        try:
            yield correlation_id
        finally:
            _current.reset(token)
