"""Send the consolidated mail again."""

from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.errors import Conflict
from core.logging import get_logger
from fulfillment.issuing import Round
from fulfillment.processing import MailWish, work
from fulfillment.recovery.guards import begin, paid_order
from fulfillment.recovery.results import RecoveryResult, result_of
from fulfillment.selectors import standings_of
from fulfillment.states import AttemptType

log = get_logger(__name__)


def resend_codes(
    order_id: int, *, operator: Actor, notes: str = "", recipient: str = ""
) -> RecoveryResult:
    """Mail every code that is stored for the order, to its recipient or an audited override.

    On an order whose mail had failed, an accepted one completes it (D27).

    Raises:
        NotFound, BadRequest: the order's own guards.
        Conflict: no code is stored yet.
    """
    with transaction.atomic():
        order = paid_order(order_id)
        count = sum(len(standing.vouchers) for standing in standings_of(order))
        if not count:
            raise Conflict(f"Order {order.order_number} has no code to send yet.")
        to = f"To {recipient}. " if recipient else ""
        attempt = begin(
            order,
            None,
            AttemptType.RESEND_EMAIL,
            operator=operator,
            notes=to + notes,
            now=timezone.now(),
        )
    log.info("fulfilment.resend", fa=f"fa:{attempt.correlation_id}")
    wish = MailWish(by_operator=True, recipient=recipient, again=True)
    work(Round(order_id, [attempt]), lambda: Round(order_id, [attempt]), wish)
    return result_of(
        attempt,
        done=f"{count} voucher code(s) sent again",
        not_mailed=f"{count} voucher code(s) saved, e-mail not sent",
    )
