"""Every address we answer at, found in the URL configuration; the admin's own pages aside."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver

VERBS = ("get", "post", "put", "patch", "delete")


def walk(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Route and callback; a regular expression is written as `<name>`."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        where = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            if getattr(pattern, "app_name", None) != "admin":
                yield from walk(pattern.url_patterns, where)
        else:
            yield re.sub(r"\^(.*)\(\?P<(\w+)>.*\)\$", r"\1<\2>", where), pattern.callback


def view_of(callback: Any) -> Any:
    """The class behind a callback; None for a plain function."""
    return getattr(callback, "view_class", None) or getattr(callback, "cls", None)
