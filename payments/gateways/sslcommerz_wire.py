"""How SSLCommerz is spoken to and how it signs (contract page sslcommerz, sections 1 and 4)."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5, sha256
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import parse_qsl

import requests

from core.http import Answer, Outbound
from core.providers import Misconfigured, ProviderError, Unavailable
from core.wire import plain_text

SLUG: Final = "sslcommerz"
DONE: Final = "DONE"
INVALID_REQUEST: Final = "INVALID_REQUEST"
#: `APIConnect` of a store that is not let in, section 5.
OUR_FAULT: Final = frozenset({"FAILED", "INACTIVE"})
SHORTEST_WAIT: Final = 0.2
_MAX_NOTICE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Store:
    """A registration at SSLCommerz; its credentials go with every call as plain parameters."""

    base_url: str
    store_id: str
    password: str = field(repr=False)

    def url(self, path: str) -> str:
        return f"{self.base_url}{path}"

    @property
    def credentials(self) -> dict[str, str]:
        return {"store_id": self.store_id, "store_passwd": self.password}


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer of the validator; anything else has no `APIConnect` and decides nothing."""

    body: Mapping[str, Any] = field(repr=False)
    status: int
    readable: bool

    @classmethod
    def of(cls, answer: Answer) -> Self:
        body = answer.json()
        return cls(body or {}, answer.status, readable=body is not None)

    def text(self, name: str, limit: int = 200) -> str:
        return plain_text(self.body.get(name), limit)

    @property
    def done(self) -> bool:
        """Check 1 of section 5: an absent `APIConnect` counts as not done."""
        return self.status == HTTPStatus.OK and self.text("APIConnect") == DONE


@dataclass(slots=True)
class Asking:
    """The questions about one payment, which together take no longer than one answer may (D50)."""

    out: Outbound = field(repr=False)
    store: Store
    _started: float = field(default_factory=time.monotonic)

    def ask(self, path: str, wish: Mapping[str, str], *, repeatable: bool = True) -> Reply:
        """One call of the validator.

        Raises:
            Misconfigured: the store is not let in.
            Unavailable: no readable answer to a question.
            OutcomeUnknown: no answer to what is not repeatable.
        """
        left = self.out.answer_seconds - (time.monotonic() - self._started)
        out = replace(self.out, answer_seconds=max(left, SHORTEST_WAIT))
        query = {**wish, **self.store.credentials, "v": "1", "format": "json"}
        request = requests.Request("GET", self.store.url(path), params=query)
        try:
            reply = Reply.of(out.send(request, repeatable=repeatable))
        except ProviderError as exc:
            # What it came from names the address, and with it the store's password.
            exc.__cause__ = exc.__context__ = None
            raise
        connect = reply.text("APIConnect")
        if connect in OUR_FAULT:
            raise Misconfigured(SLUG, f"APIConnect {connect}", raw_code=connect)
        if repeatable and not reply.readable:
            raise Unavailable(SLUG, "unreadable answer", raw_code=str(reply.status))
        return reply


def posted_fields(query: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The fields of a notice: the form in the body before what stands in the address."""
    return dict(query) | _form(body)


def _form(body: bytes) -> dict[str, str]:
    if len(body) > _MAX_NOTICE:
        return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}


def signed_fields(fields: Mapping[str, str], password: str) -> dict[str, str]:
    """The fields that a right signature of this store covers, or none (section 4).

    Either signature may be missing, not both; one that is there must be right.
    """
    names = fields.get("verify_key", "").split(",")
    if not all(name in fields for name in names):
        return {}
    covered = {name: fields[name] for name in names}
    right = {
        "verify_sign": _signature(covered, password, md5),
        "verify_sign_sha2": _signature(covered, password, sha256),
    }
    given = {name: fields[name] for name in right if fields.get(name)}
    same = [
        hmac.compare_digest(right[name].encode(), value.encode(errors="replace"))
        for name, value in given.items()
    ]
    return covered if same and all(same) else {}


def _signature(covered: Mapping[str, str], password: str, digest: Any) -> str:
    """MD5 is what the provider signs with; it is never more than an extra check here."""
    secret = digest(password.encode(), usedforsecurity=False).hexdigest()
    whole = {**covered, "store_passwd": secret}
    text = "&".join(f"{name}={whole[name]}" for name in sorted(whole))
    signature: str = digest(text.encode(errors="replace"), usedforsecurity=False).hexdigest()
    return signature
