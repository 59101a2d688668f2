"""Addresses of views whose names begin alike, so that a second mount can be told from the first."""

from django.urls import URLPattern, path
from rest_framework.views import APIView


def routes(prefix: str, *rows: tuple[str, type[APIView], str]) -> list[URLPattern]:
    """Address, view and name of each; the name becomes `<prefix>-<name>`."""
    return [path(where, view.as_view(), name=f"{prefix}-{name}") for where, view, name in rows]
