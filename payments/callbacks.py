"""Gateways' notices: kept as they came, believed in nothing but which payment to ask about."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from core.logging import get_logger
from core.providers import Misconfigured
from payments.gateways.base import Claim, NotifyingGateway, PaymentGateway
from payments.gateways.registry import get_gateway
from payments.models import GatewayCallback, Payment
from payments.states import PaymentStatus
from payments.verification import verify

log = get_logger(__name__)

KEPT_HEADERS: Final = ("Content-Type", "User-Agent", "X-Forwarded-For")
MAX_KEPT: Final = 20_000


def receive_callback(
    slug: str,
    *,
    method: str,
    path: str,
    query: Mapping[str, str],
    raw_query: str,
    body: bytes,
    headers: Mapping[str, str],
    sender: str = "",
) -> tuple[Payment | None, bool]:
    """Keep a notice, find the payment it names, and ask the gateway about it.

    Returns:
        The payment, as it stands after asking, and whether the gateway gave an answer. A
        notice that names none of ours is kept and changes nothing.
    """
    now = timezone.now()
    try:
        gateway = get_gateway(slug, answer_seconds=settings.CUSTOMER_WAIT_SECONDS)
    except Misconfigured:  # not set up here: nothing can be asked, and nothing is ours
        return None, False
    claim = gateway.read_callback(
        query=query, body=body, content_type=headers.get("Content-Type", "")
    )
    payment = _claimed(slug, claim)
    if method == "POST" and not _believed(gateway, sender):
        payment = None  # kept, and about nothing of ours
    digest = hashlib.sha256(f"{method} {path}?{raw_query}\n".encode() + body).digest()
    _keep(
        slug, payment, digest, method=method, query=raw_query, body=body, headers=headers, now=now
    )
    if payment is None:
        log.warning("payment.callback_unplaced", gateway=slug)
        return None, True
    told_before = claim.gateway_transaction_id in ("", payment.gateway_transaction_id)
    if payment.status == PaymentStatus.SUCCEEDED and told_before:
        return payment, True
    settlement = verify(payment.pk, answer_seconds=settings.CUSTOMER_WAIT_SECONDS, left=claim.left)
    return settlement.payment, settlement.answered


def _believed(gateway: PaymentGateway, sender: str) -> bool:
    """Whether a notice from this address counts: any does, where none decides."""
    return gateway.believes(sender) if isinstance(gateway, NotifyingGateway) else True


def _claimed(slug: str, claim: Claim) -> Payment | None:
    rows = Payment.objects.select_related("order").filter(method=slug)
    if claim.gateway_reference:
        return rows.filter(gateway_reference=claim.gateway_reference).first()
    if claim.reference:
        return rows.filter(reference=claim.reference).first()
    return None


def _keep(
    slug: str,
    payment: Payment | None,
    digest: bytes,
    *,
    method: str,
    query: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> None:
    """The same notice at the same address twice is one row, counted."""
    text = body[:MAX_KEPT].decode("utf-8", "replace").replace("\0", "")
    try:
        with transaction.atomic():
            GatewayCallback.objects.create(
                gateway=slug,
                digest=digest,
                payment=payment,
                method=method,
                query=query[:4000],
                body=text,
                headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
                received_at=now,
                last_received_at=now,
            )
    except IntegrityError:
        GatewayCallback.objects.filter(gateway=slug, digest=digest).update(
            times=F("times") + 1, last_received_at=now, **({"payment": payment} if payment else {})
        )
