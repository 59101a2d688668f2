"""An operator has what an endpoint did not take told again, under the same `eventId`."""

from datetime import datetime

from django.db import transaction

from core.actors import Actor
from core.db import after_commit
from core.errors import BadRequest, Conflict, NotFound
from core.logging import get_logger
from core.states import check_arrow
from webhooks.models import Delivery
from webhooks.states import ARROWS, DeliveryStatus
from webhooks.tasks import deliver_webhook

log = get_logger(__name__)


@transaction.atomic
def replay(delivery_id: int, *, operator: Actor, reason: str, now: datetime) -> Delivery:
    """Plan a dead delivery anew, with all its tries.

    Raises:
        BadRequest: no reason was given.
        NotFound: there is no such delivery.
        Conflict: it is delivered, or on its way already; or its endpoint is switched off.
    """
    if not reason.strip():
        raise BadRequest.at("reason", "Say why it is sent again.", code="required")
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("endpoint")
    row = rows.filter(pk=delivery_id).first()
    if row is None:
        raise NotFound("There is no such delivery.")
    if row.status != DeliveryStatus.DEAD:
        raise Conflict(f"Only what failed for good is replayed; this is {row.status}.")
    if not row.endpoint.is_active:
        raise Conflict(f"Endpoint {row.endpoint.name} is switched off.")
    check_arrow(ARROWS, DeliveryStatus(row.status), DeliveryStatus.PENDING)
    row.status, row.tries, row.next_try_at = DeliveryStatus.PENDING, 0, now
    row.replayed_at, row.replayed_by_id = now, operator.user_id
    row.replay_reason = reason.strip()[:500]
    row.save()
    log.info("webhook.replayed", delivery=row.pk, by=operator.label)
    after_commit(deliver_webhook.delay, delivery_id=row.pk)
    return row
