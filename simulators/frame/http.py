"""Requests, answers and routes: plain values, so that handlers need no socket."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

JsonObject: TypeAlias = dict[str, Any]

#: Pages carry no script at all and load nothing from elsewhere. There is no ``form-action``:
#: browsers apply it to the redirect after the form too, and that one leads to the merchant.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self';"
    " base-uri 'none'; frame-ancestors 'self'"
)


class Drop(Enum):
    """How much of an answer is kept back before the connection is closed."""

    NOTHING = "nothing"
    HALF = "half"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    base_url: str  # as the caller reached us, for links back to our own pages

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> JsonObject | None:
        """The body as a JSON object, or None if it is anything else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def form(self) -> JsonObject:
        text = self.body.decode("utf-8", errors="replace")
        return dict(parse_qsl(text, keep_blank_values=True))

    def data(self) -> JsonObject:
        """The members of a form or of a JSON object, whichever was sent."""
        if self.media_type == "application/x-www-form-urlencoded":
            return self.form()
        return self.json() or {}


@dataclass(slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds to wait before the first byte
    drop: Drop = Drop.NOTHING
    first: list[Callable[[], None]] = field(default_factory=list)
    """Calls to make before this answer leaves (a callback that overtakes it)."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """Leave a handler with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value, ensure_ascii=False).encode())


def html_response(text: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
    return Response(status, text.encode(), "text/html; charset=utf-8", headers)


def text_response(text: str, status: int = 200) -> Response:
    return Response(status, text.encode(), "text/plain; charset=utf-8")


def redirect(location: str) -> Response:
    """See Other: the browser follows with a GET, as the return of a payment page must."""
    return Response(303, b"", "text/plain; charset=utf-8", {"Location": location})


def with_query(url: str, params: Mapping[str, str]) -> str:
    """Append ``params``, with ``&`` where the address has a query already."""
    glue = "&" if urlsplit(url).query else ("" if url.endswith("?") else "?")
    return f"{url}{glue}{urlencode(params)}"


def is_web_address(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler."""

    request: Request
    params: Mapping[str, str]

    @property
    def base_url(self) -> str:
        return self.request.base_url


Handler: TypeAlias = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """``pattern`` is a path below the service, ``{name}`` standing for one segment of it."""

    method: str
    pattern: str
    handler: Handler
    operation: str = ""  # empty: nobody wants this one to misbehave (pages, styles)
    needs: str = ""  # a query parameter without which another call of this path is meant

    def match(self, path: str) -> Mapping[str, str] | None:
        names = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.pattern))
        found = re.fullmatch(names, path)
        return found.groupdict() if found else None


def find_route(
    routes: list[Route], method: str, path: str, query: Mapping[str, str]
) -> tuple[Route, Mapping[str, str]] | Response:
    """The route and its parameters, or the answer 404 or 405."""
    other_method = False
    method = "GET" if method == "HEAD" else method
    for route in routes:
        params = route.match(path)
        if params is None or (route.needs and route.needs not in query):
            continue
        if route.method == method:
            return route, params
        other_method = True
    if other_method:
        return json_response({"message": "Method not allowed"}, 405)
    return json_response({"message": "Not found"}, 404)
