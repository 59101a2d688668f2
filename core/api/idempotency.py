"""The same request twice is the same answer twice (D24)."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import BadRequest, Conflict, RateLimited, Unprocessable
from core.models import IdempotencyKey

HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(hours=24)
#: Above every limit of an answer (D50): a request still unfinished after it has died.
LEASE: Final = timedelta(seconds=60)
MAX_LENGTH: Final = 200

View = Callable[..., Response]


def idempotent(view: View) -> View:
    """Replay the stored answer when a client repeats a POST with its `Idempotency-Key`.

    Another body under the same key is 422, a first request still running 409. An answer
    of 429, or of 500 and above, or an exception, forgets the key: the client may try again.
    """
    return _keeping(view, refusals=True)


def idempotent_once_done(view: View) -> View:
    """As `idempotent`, but a refusal forgets the key too: only what was done is kept.

    Source: contract page ascenda-fulfillment-orders, section 5.
    """
    return _keeping(view, refusals=False)


def _keeping(view: View, *, refusals: bool) -> View:

    @wraps(view)
    def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return view(self, request, *args, **kwargs)
        if not (0 < len(key) <= MAX_LENGTH and key.isprintable()):
            raise BadRequest.at(HEADER, f"{HEADER} must be 1 to {MAX_LENGTH} printable characters.")
        caller = f"{type(request.user).__name__}:{request.user.pk}"
        row, stored = _claim(caller=caller, key=key, digest=_digest(request))
        if stored is not None:
            return stored
        try:
            response = _answered(self, view, request, *args, **kwargs)
        except BaseException:
            row.delete()
            raise
        _store(row, response, refusals=refusals)
        return response

    vars(wrapper)["idempotent"] = True  # `core.api.operations` documents it
    return wrapper


def _answered(self: Any, view: View, request: Request, *args: Any, **kwargs: Any) -> Response:
    """The view's answer, a refusal included; what nobody expected is raised on."""
    try:
        return view(self, request, *args, **kwargs)
    except Exception as exc:  # noqa: BLE001 - the API's own handler decides what it expects
        refusal: Response = self.handle_exception(exc)
        return refusal


def _digest(request: Request) -> bytes:
    body = request._request.body  # noqa: SLF001 - the raw bytes; nothing has parsed them yet
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + body).digest()


def _claim(*, caller: str, key: str, digest: bytes) -> tuple[IdempotencyKey, Response | None]:
    now = timezone.now()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                caller=caller, key=key, digest=digest, claimed_at=now
            ), None
    except IntegrityError:
        row = IdempotencyKey.objects.get(caller=caller, key=key)
    if row.created_at < now - KEPT:
        row.delete()
        return _claim(caller=caller, key=key, digest=digest)
    if bytes(row.digest) != digest:
        raise Unprocessable(f"This {HEADER} was used for another request.")
    if row.status is not None:
        return row, Response(row.body, status=row.status, headers={"Idempotent-Replay": "true"})
    abandoned = IdempotencyKey.objects.filter(
        pk=row.pk, status=None, claimed_at__lt=now - LEASE
    ).update(claimed_at=now)
    if not abandoned:
        raise Conflict(f"A request with this {HEADER} is still running.")
    return row, None


def _store(row: IdempotencyKey, response: Response, *, refusals: bool) -> None:
    code = response.status_code
    refused = code >= 400 and not refusals  # noqa: PLR2004
    if refused or code == RateLimited.http_status or code >= 500:  # noqa: PLR2004
        row.delete()
        return
    row.status, row.body = response.status_code, response.data
    row.save(update_fields=["status", "body"])
