"""bKash's token: one for all processes, two token calls an hour (contract page bkash, section 2).

Kept in the cache, renewed at five sixths of its life. Two slots that come free after an hour
count the calls. The code of a blocked call is not public: 429, and any refusal that names
neither credentials nor maintenance, is taken for the block and ends all token calls for an
hour. Refused credentials are not tried again either; changed ones are tried at once.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final, Self

import requests
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from core.http import Answer, Outbound
from core.providers import Declined, Misconfigured, Unavailable
from core.tokens import Token, TokenShelf
from core.wire import plain_text

SLUG: Final = "bkash"
DONE: Final = "0000"
STALE: Final = "2079"
OUR_FAULT: Final = frozenset(map(str, [2001, 2043, 2049, *range(2063, 2068), 2079, 2118]))
MAINTENANCE: Final = frozenset({"503", "2020", "2024"})
HOUR: Final = 3600
_LATE: Final = 30  # a call reaches bKash after its slot was taken: seconds on the safe side


@dataclass(frozen=True, slots=True)
class Account:
    """The four credentials of one environment."""

    base_url: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)

    def url(self, call: str) -> str:
        return f"{self.base_url}/tokenized/checkout/{call}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in one of the shapes of section 8."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    readable: bool

    @classmethod
    def of(cls, answer: Answer) -> Self:
        body = answer.json()
        return cls(answer.status, body or {}, readable=body is not None)

    @property
    def done(self) -> bool:
        """`statusCode` "0000" as text, HTTP 200, and not the front gateway's `message`."""
        clear = self.status == HTTPStatus.OK and "message" not in self.body
        return clear and self.body.get("statusCode") == DONE

    @property
    def code(self) -> str:
        names = ("statusCode", "errorCode")
        return next((text for name in names if (text := plain_text(self.body.get(name), 40))), "")

    @property
    def summary(self) -> str:
        names = ("statusMessage", "errorMessage", "errorMessageEn")
        words = next((text for name in names if (text := plain_text(self.body.get(name)))), "")
        return f"{self.code or self.status} {words}".strip()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The one token of an app credential, shared by all processes (section 2)."""

    out: Outbound = field(repr=False)
    account: Account

    def current(self, *, bad: str = "") -> str:
        """A token other than the `bad` one, renewed by one process at a time.

        Raises:
            Unavailable: the hour's calls are spent or blocked; no call was made.
            Misconfigured: the credentials are refused.
        """
        shelf = TokenShelf(SLUG, self._key("")[:-1], self.out.answer_seconds)
        return shelf.current(self._renewed, bad=bad)

    def _renewed(self, kept: Token | None) -> Token:
        if kept and kept.refresh:
            try:
                return self._ask("refresh", {"refresh_token": kept.refresh})
            except (Declined, Misconfigured):
                pass  # refresh refused: grant, section 2
        return self._ask("grant", {})

    def _ask(self, call: str, more: Mapping[str, str]) -> Token:
        if cache.get(self._key("blocked")):
            raise Unavailable(SLUG, "token calls are blocked", retry_after=HOUR)
        if cache.get(self._refused_key()):
            raise Misconfigured(SLUG, "credentials refused within the last hour")
        self._take_slot()
        account = self.account
        request = requests.Request(
            "POST",
            account.url(f"token/{call}"),
            headers={"username": account.username, "password": account.password},
            json={"app_key": account.app_key, "app_secret": account.app_secret, **more},
        )
        try:
            return self._granted(Reply.of(self.out.send(request, repeatable=True)), call)
        except Unavailable as exc:
            if exc.raw_code == str(int(HTTPStatus.TOO_MANY_REQUESTS)):
                cache.set(self._key("blocked"), 1, timeout=HOUR + _LATE)
            raise
        except Misconfigured:
            if call == "grant":
                cache.set(self._refused_key(), 1, timeout=HOUR)
            raise

    def _take_slot(self) -> None:
        slots = [self._key("call1"), self._key("call2")]
        if not any(cache.add(slot, time.time(), timeout=HOUR + _LATE) for slot in slots):
            first = min(cache.get_many(slots).values(), default=time.time())
            wait = max(first + HOUR + _LATE - time.time(), 1)
            raise Unavailable(SLUG, "two token calls were made this hour", retry_after=wait)

    def _granted(self, reply: Reply, call: str) -> Token:
        token = reply.body.get("id_token")
        if reply.done and isinstance(token, str) and token:
            said = plain_text(reply.body.get("expires_in"))
            life = min(int(said), 24 * HOUR) if re.fullmatch("[0-9]{1,6}", said) else HOUR
            refresh = reply.body.get("refresh_token")
            return Token.living(token, life, refresh=refresh if isinstance(refresh, str) else "")
        if call == "refresh" and reply.code:
            raise Declined(SLUG, "refresh refused", raw_code=reply.code)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, "credentials refused", raw_code=reply.code)
        if reply.code not in MAINTENANCE | {"", DONE}:
            cache.set(self._key("blocked"), 1, timeout=HOUR + _LATE)
        raise Unavailable(SLUG, "no token", raw_code=reply.code)

    def _key(self, name: str) -> str:
        app = sha256(f"{self.account.base_url}\n{self.account.app_key}".encode()).hexdigest()
        return f"bkash:{app[:24]}:{name}"

    def _refused_key(self) -> str:
        """Other credentials are tried at once, these ones not."""
        account = self.account
        secrets = f"{account.app_secret}\n{account.username}\n{account.password}"
        return self._key(f"refused:{salted_hmac('payments.bkash', secrets).hexdigest()[:24]}")
