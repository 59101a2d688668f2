"""Calls a provider makes by itself: callbacks, notifications, webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import requests

from .http import JsonObject

TIME_LIMIT = 10.0


@dataclass
class Delivery:
    """One message to the merchant, with the waits before each further try."""

    kind: str
    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    waits: list[float] = field(default_factory=list)
    reference: str = ""
    tries: int = 0

    def as_json(self) -> JsonObject:
        return asdict(self)


def send(delivery: Delivery) -> int:
    """The HTTP status of the answer, 0 if there was none."""
    with requests.Session() as session:
        session.trust_env = False  # the merchant is next door, never behind a proxy
        try:
            response = session.request(
                delivery.method,
                delivery.url,
                data=delivery.body.encode() if delivery.body else None,
                headers=delivery.headers,
                timeout=TIME_LIMIT,
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError):
            return 0
        return response.status_code


def in_background(function: Callable[[], None]) -> None:
    """A daemon thread: a merchant that hangs must not keep a stopping process alive."""
    threading.Thread(target=function, name="delivery", daemon=True).start()
