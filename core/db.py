"""Where a transaction may not be open, and what follows when one is committed."""

from collections.abc import Callable
from functools import partial, update_wrapper, wraps
from typing import Any, ParamSpec, TypeVar

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


def after_commit(call: Callable[..., Any], **kwargs: Any) -> None:
    """Ring for the worker once the transaction under way is committed.

    A bell that breaks is logged and keeps nobody from anything: what it rang for is a row, which
    a sweep finds. Django names what broke, and a bare `partial` has no name: it would raise.
    """
    transaction.on_commit(update_wrapper(partial(call, **kwargs), call), robust=True)
