"""The one way out of the house over HTTP: time limits, size limits, four kinds of error."""

import json
import ssl
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from core import correlation
from core.hanging_up import HangingUpAdapter, hung_up_after
from core.logging import get_logger
from core.providers import Misconfigured, OutcomeUnknown, Unavailable

log = get_logger(__name__)

CONNECT_SECONDS: Final = 3.05
ANSWER_SECONDS: Final = 10.0
#: No answer in any contract comes near this; a longer one is not read to its end.
MAX_BYTES: Final = 1_000_000
#: A socket's own limit may speak first: it says better what happened.
GRACE_SECONDS: Final = 0.25


def new_session(adapter: type[HangingUpAdapter] = HangingUpAdapter) -> requests.Session:
    """A session whose calls can be cut off in time."""
    session = requests.Session()
    session.mount("https://", adapter())
    session.mount("http://", adapter())
    return session


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer, read whole, with its body still closed to logs."""

    status: int
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    def json(self) -> dict[str, Any] | None:
        """The JSON object in the body, or None if it holds anything else (HTML, text, a list)."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None


@dataclass(frozen=True, slots=True)
class Outbound:
    """Sends a request once and says, in our four words, what is known when it fails.

    `answer_seconds` bounds the whole answer, not one read, so that a peer which sends a
    byte at a time can't hold a worker (D50: less in a customer's request).
    """

    provider: str
    session: requests.Session = field(default_factory=new_session)
    answer_seconds: float = ANSWER_SECONDS

    def send(self, request: requests.Request, *, repeatable: bool) -> Answer:
        """Send once. `repeatable` means a second identical request would be harmless.

        Raises:
            Misconfigured: 401 or 403.
            Unavailable: surely nothing happened (no connection, 429, or repeatable).
            OutcomeUnknown: the request may have been carried out.
        """
        unsure = Unavailable if repeatable else OutcomeUnknown
        request.headers.setdefault(correlation.HEADER, correlation.current())
        prepared = self.session.prepare_request(request)
        started = time.monotonic()
        try:
            answer = self._exchange(prepared)
        except requests.RequestException as exc:
            log.warning("outbound.failed", provider=self.provider, error=type(exc).__name__)
            if surely_not_sent(exc):
                raise Unavailable(self.provider, "no connection") from exc
            raise unsure(self.provider, "no answer") from exc
        log.info(
            "outbound.answered",
            provider=self.provider,
            method=prepared.method,
            status=answer.status,
            ms=round((time.monotonic() - started) * 1000),
        )
        code = answer.status
        if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Misconfigured(self.provider, "credentials refused", raw_code=str(code))
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable(
                self.provider, "rate limited", raw_code="429", retry_after=retry_after(answer)
            )
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise unsure(self.provider, f"server error {code}", raw_code=str(code))
        return answer

    def _exchange(self, prepared: requests.PreparedRequest) -> Answer:
        limits = (min(CONNECT_SECONDS, self.answer_seconds), self.answer_seconds)
        with (
            hung_up_after(self.answer_seconds + GRACE_SECONDS) as too_late,
            self.session.send(
                prepared, timeout=limits, allow_redirects=False, stream=True
            ) as response,
        ):
            chunks, size = [], 0
            for chunk in response.iter_content(64 * 1024):
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BYTES:
                    raise requests.exceptions.ContentDecodingError("answer too long")
            if too_late.is_set():
                raise requests.ReadTimeout("answer too slow")
            return Answer(response.status_code, b"".join(chunks), dict(response.headers))


def retry_after(answer: Answer) -> float | None:
    """Seconds asked for by `Retry-After`, if it is a number; dates are not used by our peers."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def surely_not_sent(exc: requests.RequestException) -> bool:
    """True only if no byte of the request can have left: name, route, port or certificate failed.

    Other TLS errors may come after the request went out, so they prove nothing.
    """
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if exc.args else None
    if not isinstance(cause, MaxRetryError):
        return False
    return isinstance(cause.reason, NewConnectionError) or any(
        isinstance(arg, ssl.SSLCertVerificationError) for arg in getattr(cause.reason, "args", ())
    )
