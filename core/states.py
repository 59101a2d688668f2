"""State machines are literal tables; this is the one place that reads them (ADR 0002)."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

S = TypeVar("S", bound=Enum)


class IllegalTransition(Exception):  # noqa: N818
    """There is no such arrow. Nothing was changed."""


def check_arrow(arrows: Mapping[S, frozenset[S]], old: S, new: S) -> None:
    """Raise `IllegalTransition` unless the table draws an arrow from `old` to `new`."""
    if new not in arrows[old]:
        raise IllegalTransition(f"{type(old).__name__}: {old.value} may not become {new.value}.")
