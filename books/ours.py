"""What stands in our books, as far as a statement may speak of it.

Found by what a file names (in chunks, by unique references and indexed ids), and by the period.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

from django.db.models import Q, QuerySet

from books.statements.base import Line
from books.states import Side
from fulfillment.models import PartnerTransaction
from fulfillment.states import PurchaseStatus
from payments.models import Payment, Refund
from payments.states import PaymentStatus, RefundStatus

AT_ONCE: Final = 2_000
MONEY_CAME: Final = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.AMOUNT_MISMATCH})
#: Gateways that take no dashes get our references without them.
_BARE: Final = re.compile(r"BDV(\d{8})(\d+)(?:R(\d+))?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of money as we know it."""

    reference: str
    transactions: tuple[str, ...]
    """How the provider calls it, and, of a refund, the payment it belongs to."""
    amount: Decimal | None
    """None: the partner did not say what it charged."""
    currency: str
    at: datetime
    moved: bool
    status: str
    is_refund: bool = False
    payment_id: int | None = None
    refund_id: int | None = None
    purchase_id: int | None = None
    parent: str = ""
    """Of a refund: the reference of its payment."""

    @property
    def key(self) -> tuple[int | None, int | None, int | None]:
        return self.payment_id, self.refund_id, self.purchase_id


def bare(reference: str) -> str:
    """References are the same whatever a gateway made of their dashes and letters."""
    return re.sub("[^A-Z0-9]", "", reference.upper())


def _spellings(references: Iterable[str]) -> set[str]:
    """How our own tables may write what a file names."""
    found = set()
    for each in references:
        found |= {each, each.upper()}
        if match := _BARE.fullmatch(bare(each)):
            order, number, refund = match.groups()
            found.add(f"BDV-{order}-{number}" + (f"-R{refund}" if refund else ""))
    return found - {""}


def named(side: str, provider: str, lines: Sequence[Line]) -> Iterator[Entry]:
    """Whatever we have under a reference or an id in these lines, whatever became of it."""
    lookups: dict[str, Callable[[str, set[str], set[str]], Iterator[Entry]]] = {
        Side.PAYMENTS: _named_payments,
        Side.PURCHASES: _named_purchases,
    }
    rest = iter(lines)
    while chunk := list(islice(rest, AT_ONCE)):
        references = _spellings(line.reference for line in chunk)
        transactions = {line.transaction for line in chunk} - {""}
        yield from lookups[side](provider, references, transactions)


def _named_payments(method: str, references: set[str], ids: set[str]) -> Iterator[Entry]:
    payments = Payment.objects.filter(method=method)
    yield from _each(
        _payment_entry,
        payments.filter(reference__in=references),
        payments.filter(gateway_transaction_id__in=ids),
    )
    refunds = Refund.objects.filter(payment__method=method).select_related("payment")
    yield from _each(
        _refund_entry,
        refunds.filter(reference__in=references),
        refunds.filter(gateway_refund_id__in=ids),
        refunds.filter(payment__reference__in=references),
        refunds.filter(payment__gateway_transaction_id__in=ids),
    )


def _named_purchases(partner: str, references: set[str], ids: set[str]) -> Iterator[Entry]:
    purchases = PartnerTransaction.objects.filter(partner__slug=partner)
    yield from _each(
        _purchase_entry,
        purchases.filter(reference__in=references),
        purchases.filter(partner_transaction_id__in=ids),
    )


def _each(shape: Callable[[Any], Entry], *found: QuerySet[Any]) -> Iterator[Entry]:
    seen = set()
    for rows in found:
        for row in rows.order_by().iterator():
            if row.pk not in seen:
                seen.add(row.pk)
                yield shape(row)


def within(side: str, provider: str, since: datetime, until: datetime) -> Iterator[Entry]:
    """Everything that moved in the period, by our own clock."""
    if side == Side.PURCHASES:
        done = PartnerTransaction.objects.filter(
            partner__slug=provider, status=PurchaseStatus.SUCCEEDED,
            ended_at__gte=since, ended_at__lt=until,
        )  # fmt: skip
        yield from _each(_purchase_entry, done)
        return
    payments = Payment.objects.filter(method=provider)
    wrong = Q(status=PaymentStatus.AMOUNT_MISMATCH, created_at__gte=since, created_at__lt=until)
    yield from _each(
        _payment_entry,
        payments.filter(status=PaymentStatus.SUCCEEDED, paid_at__gte=since, paid_at__lt=until),
        payments.filter(wrong),
    )
    refunds = Refund.objects.filter(
        payment__method=provider, status=RefundStatus.SUCCEEDED,
        ended_at__gte=since, ended_at__lt=until,
    )  # fmt: skip
    yield from _each(_refund_entry, refunds.select_related("payment"))


def _payment_entry(row: Payment) -> Entry:
    return Entry(
        reference=row.reference,
        transactions=(row.gateway_transaction_id,),
        amount=row.amount if row.received_amount is None else row.received_amount,
        currency=row.received_currency or row.currency,
        at=row.paid_at or row.created_at,
        moved=row.status in MONEY_CAME,
        status=row.status,
        payment_id=row.pk,
    )


def _refund_entry(row: Refund) -> Entry:
    payment = row.payment
    return Entry(
        reference=row.reference,
        transactions=(row.gateway_refund_id, payment.gateway_transaction_id),
        amount=row.amount,
        currency=payment.received_currency or payment.currency,
        at=row.ended_at or row.created_at,
        moved=row.status == RefundStatus.SUCCEEDED,
        status=row.status,
        is_refund=True,
        payment_id=row.payment_id,
        refund_id=row.pk,
        parent=payment.reference,
    )


def _purchase_entry(row: PartnerTransaction) -> Entry:
    return Entry(
        reference=row.reference,
        transactions=(row.partner_transaction_id,),
        amount=_cost(row.response.get("cost")),
        currency=str(row.response.get("costCurrency") or ""),
        at=row.ended_at or row.created_at,
        moved=row.status == PurchaseStatus.SUCCEEDED,
        status=row.status,
        purchase_id=row.pk,
    )


def _cost(told: object) -> Decimal | None:
    try:
        return None if told is None else Decimal(str(told))
    except InvalidOperation:
        return None
