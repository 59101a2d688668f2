"""Where a transaction may not be open."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

P = ParamSpec("P")
R = TypeVar("R")


def durable(func: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run inside a transaction: what `func` sends cannot be rolled back.

    Raises:
        RuntimeError: a transaction is open; a defect of ours, never a state of the shop.
    """

    @wraps(func)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        blocks = transaction.get_connection().atomic_blocks
        if any(not getattr(block, "_from_testcase", False) for block in blocks):
            raise RuntimeError(f"{func.__qualname__} must not run inside a transaction.")
        return func(*args, **kwargs)

    return wrapper
