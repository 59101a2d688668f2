"""Recovery path 2: ask the partner again."""

import time
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.models import PartnerSource
from core.actors import Actor
from core.errors import BadRequest, Conflict
from core.logging import get_logger
from fulfillment.issuing import Round, issue
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import MailWish, look_up, work
from fulfillment.recovery.guards import begin, free_to_work, paid_order, repairable, standing_of
from fulfillment.recovery.results import RecoveryResult, result_of
from fulfillment.selectors import Standing, standings_of
from fulfillment.states import UNDER_WAY, AttemptStatus, AttemptType, PurchaseStatus

log = get_logger(__name__)

POLL_SECONDS: Final = 0.5


def retry_with_partner(
    order_id: int,
    order_item_id: int,
    *,
    source_id: int | None = None,
    operator: Actor,
    notes: str = "",
) -> RecoveryResult:
    """Obtain what the item owes, from a forced source or by priority, and mail it.

    After DISPATCH_FAILED the codes are there, and only the mail is sent (D10). What is not
    known within the operator's time goes on in the worker (D50).

    Raises:
        NotFound, BadRequest, Conflict: the seed's guards; D18: 409 while a purchase of the
        item may still deliver.
    """
    with transaction.atomic():
        order = paid_order(order_id)
        standing = standing_of(order, order_item_id)
        repairable(standing.item)
        if not standing.owed and not standing.vouchers:
            raise Conflict(
                f"Item {standing.item.pk} is refunded: nothing of it can be delivered any more."
            )
        source = _source(standing, source_id)
        now = timezone.now()
        free_to_work(standing.item, now=now)
        _nothing_open(standing)
        attempt = begin(
            order,
            standing.item,
            AttemptType.PARTNER_RETRY,
            operator=operator,
            notes=notes,
            now=now,
            partner_source=source,
        )
    log.info("fulfilment.retried", fa=f"fa:{attempt.correlation_id}", item=order_item_id)
    until = time.monotonic() + settings.OPERATOR_WAIT_SECONDS
    work(
        Round(order_id, [attempt]),
        lambda: _obtained(order_id, attempt, until=until),
        MailWish(by_operator=True),
    )
    _wait_for_the_worker(attempt, until=until)
    return result_of(
        attempt,
        done=f"Voucher delivered via {_via(attempt)}",
        not_mailed="Voucher code(s) saved, e-mail not sent",
    )


def _wait_for_the_worker(attempt: FulfillmentAttempt, *, until: float) -> None:
    """It may have heard of the code as well, and be mailing it: then it ends our attempt."""
    going_on = FulfillmentAttempt.objects.filter(pk=attempt.pk, status=AttemptStatus.IN_PROGRESS)
    while going_on.exists() and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _source(standing: Standing, source_id: int | None) -> PartnerSource | None:
    if source_id is None:
        return None
    sources = PartnerSource.objects.select_related("partner")
    source = sources.filter(pk=source_id, variant=standing.item.variant_id, is_active=True).first()
    if source is None:
        message = f"Item {standing.item.pk} cannot be served from source {source_id}."
        raise BadRequest.at("partnerSourceId", message)
    return source


def _nothing_open(standing: Standing) -> None:
    """No unit of the item may still be delivered by a partner (D18)."""
    if standing.under_way:
        purchase = next(iter(standing.under_way.values()))
        raise Conflict(
            f"Purchase {purchase.reference} is {purchase.status} at {purchase.partner}: it may "
            "still be delivered, so nothing is bought again. Codes by hand are welcome."
        )


def _obtained(order_id: int, attempt: FulfillmentAttempt, *, until: float) -> Round:
    """Buy, then follow purchases the partner has accepted, as long as the operator waits."""
    round_ = issue(order_id, held=[attempt], until=until)
    mine = PartnerTransaction.objects.filter(attempt=attempt, status__in=UNDER_WAY)
    while not round_.failures and time.monotonic() < until:
        if mine.exists():
            time.sleep(POLL_SECONDS)
            look_up(order_id)
        elif _owes(attempt):  # accepted, then refused: the next source, in the same try
            round_ = issue(order_id, held=[attempt], until=until)
        else:
            break
    if not round_.failures and _owes(attempt):
        round_.unfinished.add(attempt.item_id or 0)
    return round_


def _owes(attempt: FulfillmentAttempt) -> bool:
    standings = standings_of(attempt.order)
    return any(each.item.pk == attempt.item_id and each.missing for each in standings)


def _via(attempt: FulfillmentAttempt) -> str:
    bought = PartnerTransaction.objects.filter(attempt=attempt, status=PurchaseStatus.SUCCEEDED)
    partners = set(bought.values_list("partner__slug", flat=True))
    return ", ".join(sorted(partners)) or "the voucher pool"
