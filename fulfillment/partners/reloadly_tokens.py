"""Reloadly's access: the token, the limits of one piece of work, a refused token replaced once.

Section 1 of contract page reloadly. A token lives for as long as `expires_in` says, an hour if it
says nothing readable.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import requests

from core.http import Answer, Outbound
from core.providers import Misconfigured, Unavailable
from core.tokens import Token, TokenShelf
from core.wire import plain_text

SLUG: Final = "reloadly"
V1: Final = "application/com.reloadly.giftcards-v1+json"
V2: Final = "application/com.reloadly.giftcards-v2+json"
HOUR: Final = 3600
#: With less than this part of its time left, a piece of work begins no further call.
TOO_LATE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Account:
    """The credentials of one environment, live or sandbox."""

    base_url: str
    auth_url: str
    audience: str
    """Names the environment; a host of Reloadly's, never the address we happen to call."""
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)

    @property
    def key(self) -> str:
        """Where this credential's token lies: another credential has another token."""
        names = (self.auth_url, self.audience, self.client_id, self.client_secret)
        return f"reloadly:{sha256(chr(10).join(names).encode()).hexdigest()[:24]}"


@dataclass(slots=True)
class Work:
    """The calls of one purchase or look-up; all of them together take `out.answer_seconds`."""

    account: Account
    out: Outbound = field(repr=False)
    until: float = 0.0

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.out.answer_seconds

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        accept: str = V1,
        repeatable: bool = True,
    ) -> Answer:
        """Send with a token; one that is refused (401) is replaced and the call repeated once.

        Raises:
            Misconfigured: the credentials or a fresh token are refused; nothing was done.
            Unavailable: surely nothing happened, or asking again is harmless.
            OutcomeUnknown: the request may have been carried out.
        """

        def once(token: str) -> Answer:
            request = requests.Request(
                method,
                f"{self.account.base_url}/{path}",
                headers={"Authorization": f"Bearer {token}", "Accept": accept},
                params=params,
                json=body,
            )
            return self._left().send(request, repeatable=repeatable)

        token = self._token()
        try:
            return once(token)
        except Misconfigured as exc:
            if exc.raw_code != str(int(HTTPStatus.UNAUTHORIZED)):
                raise
        return once(self._token(bad=token))

    def _left(self) -> Outbound:
        left = self.until - time.monotonic()
        if left < TOO_LATE * self.out.answer_seconds:
            raise Unavailable(SLUG, "no time left for another call")
        return replace(self.out, answer_seconds=left)

    def _token(self, *, bad: str = "") -> str:
        shelf = TokenShelf(SLUG, self.account.key, self.out.answer_seconds)
        return shelf.current(self._granted, bad=bad)

    def _granted(self, _kept: Token | None) -> Token:
        request = requests.Request(
            "POST",
            f"{self.account.auth_url}/oauth/token",
            headers={"Accept": "application/json"},
            json={
                "client_id": self.account.client_id,
                "client_secret": self.account.client_secret,
                "grant_type": "client_credentials",
                "audience": self.account.audience,
            },
        )
        answer = self._left().send(request, repeatable=True)
        said = answer.json() or {}
        token = said.get("access_token")
        if answer.status != HTTPStatus.OK or not isinstance(token, str) or not token:
            raise Unavailable(SLUG, "no token", raw_code=plain_text(said.get("error"), 40))
        life = plain_text(said.get("expires_in"))
        seconds = int(life) if re.fullmatch("[0-9]{1,9}", life) else HOUR
        return Token.living(token, max(seconds, 1))
