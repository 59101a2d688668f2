"""Partners' notices: kept once per content, and a reason to look a purchase up now."""

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from core.logging import get_logger
from fulfillment.models import PartnerCallback, PartnerTransaction
from fulfillment.partners.base import Hint
from fulfillment.states import PurchaseStatus

log = get_logger(__name__)


def keep(partner: str, hint: Hint | None, body: bytes, *, now: datetime) -> int | None:
    """Write a notice down and make the purchase it names due; part of the caller's transaction.

    Returns:
        The order to look at; None if there is nothing to ask about.
    """
    purchase = _named(partner, hint)
    digest = hashlib.sha256(body).digest()
    try:
        with transaction.atomic():
            PartnerCallback.objects.create(
                partner=partner,
                digest=digest,
                purchase=purchase,
                reference=hint.reference[:150] if hint else "",
                claimed_status=hint.claimed_status[:60] if hint else "",
                received_at=now,
                last_received_at=now,
            )
    except IntegrityError:
        PartnerCallback.objects.filter(partner=partner, digest=digest).update(
            times=F("times") + 1, last_received_at=now
        )
    if purchase is None or hint is None:
        log.warning("partner.notice_unplaced", partner=partner)
        return None
    return purchase.item.order_id if _made_due(purchase, hint, now=now) else None


def _named(partner: str, hint: Hint | None) -> PartnerTransaction | None:
    if hint is None or not hint.reference:
        return None
    rows = PartnerTransaction.objects.filter(partner__slug=partner, reference=hint.reference)
    return rows.select_related("item").first()


def _made_due(purchase: PartnerTransaction, hint: Hint, *, now: datetime) -> bool:
    """Whether there is something to ask now.

    SENT is left alone: whoever sent it is about to hear the answer, and plans the next look.
    "Nothing is decided yet" tells us something only where we know nothing. A purchase held for
    a person is asked about again, too: the partner may have mended it.
    """
    waiting = Q(status=PurchaseStatus.UNKNOWN)
    if not hint.undecided:
        waiting |= Q(status=PurchaseStatus.PENDING)
    rows = PartnerTransaction.objects.filter(waiting, pk=purchase.pk)
    return bool(rows.update(next_check_at=now))
