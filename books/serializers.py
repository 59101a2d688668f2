"""The books as the API tells them, and what a comparison asks for."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from rest_framework import serializers

from books.days import Period
from books.models import Gap, Reconciliation
from books.services import Wish
from books.statements.base import FIELDS
from books.statements.layouts import layout_names
from books.states import GapKind, Side
from books.sums import STEPS, Spending, Stock, Takings
from core.api.fields import StrictSerializer, TextField, instant, number
from core.api.lists import once_each
from core.errors import BadRequest

LAYOUTS: Final = [slug for slug, _ in layout_names()]
LONGEST: Final = timedelta(days=1100)


def period_of(params: Mapping[str, str], *, today: date) -> Period:
    """`from` and `to` of a request, days of Dhaka; this month if nothing is said.

    Raises:
        BadRequest: no days, the wrong way round, or more than three years.
    """
    once_each(params)
    first = _day(params, "from", today.replace(day=1))
    last = _day(params, "to", max(first, today))
    if last < first:
        raise BadRequest.at("to", "to must not be before from.")
    if last - first > LONGEST:
        raise BadRequest.at("from", f"At most {LONGEST.days} days at once.")
    return Period(first, last)


def _day(params: Mapping[str, str], name: str, default: date) -> date:
    text = params.get(name)
    if text is None:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not date(2000, 1, 1) <= found <= date(2200, 1, 1):
        raise BadRequest.at(name, f"{name} must be a day such as 2026-04-27.")
    return found


def step_of(params: Mapping[str, str]) -> str:
    by = params.get("by", "month")
    if by not in STEPS:
        raise BadRequest.at("by", f"by must be one of {', '.join(STEPS)}.")
    return by


class TakingsSchema(serializers.Serializer[Any]):
    period = serializers.DateField(allow_null=True, help_text="Its first day; null for a sum.")
    method = serializers.CharField(help_text="Empty for a sum.")
    is_money = serializers.BooleanField(help_text="False: points and full discounts.")
    currency = serializers.CharField()
    payments = serializers.IntegerField()
    paid = serializers.FloatField()
    refunds = serializers.IntegerField()
    refunded = serializers.FloatField()
    net = serializers.FloatField()


class SpendingSchema(serializers.Serializer[Any]):
    partner = serializers.CharField()
    currency = serializers.CharField(
        allow_blank=True, help_text="Empty: the partner did not say what it charged."
    )
    purchases = serializers.IntegerField()
    cost = serializers.FloatField(allow_null=True, help_text="In `currency`.")
    cost_bdt = serializers.FloatField(
        allow_null=True, help_text="By the cost of its sources where it does not charge taka."
    )


class BooksSchema(serializers.Serializer[Any]):
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="Included.")
    zone = serializers.CharField(help_text="Days and months are of this time zone.")
    by = serializers.ChoiceField(choices=STEPS)
    rows = TakingsSchema(many=True)
    totals = TakingsSchema(many=True, help_text="Of each currency, real money only.")
    purchases = SpendingSchema(many=True)


def takings_data(row: Takings) -> dict[str, Any]:
    return {
        "period": row.period and row.period.isoformat(),
        "method": row.method,
        "is_money": row.is_money,
        "currency": row.currency,
        "payments": row.paid_count,
        "paid": number(row.paid),
        "refunds": row.refunded_count,
        "refunded": number(row.refunded),
        "net": number(row.net),
    }


def spending_data(row: Spending) -> dict[str, Any]:
    return {
        "partner": row.partner,
        "currency": row.currency,
        "purchases": row.purchases,
        "cost": number(row.cost),
        "cost_bdt": number(row.cost_bdt),
    }


class CodesOfVariantSchema(serializers.Serializer[Any]):
    variant_id = serializers.IntegerField(allow_null=True, help_text="Null for the sum.")
    product = serializers.CharField(allow_blank=True)
    variant = serializers.CharField(allow_blank=True)
    in_batches = serializers.IntegerField()
    in_purchases = serializers.IntegerField()
    in_by_hand = serializers.IntegerField(help_text="Typed by operators.")
    codes_in = serializers.IntegerField()
    out_delivered = serializers.IntegerField()
    out_void = serializers.IntegerField()
    on_hand = serializers.IntegerField(help_text="Free or held for an order.")
    difference = serializers.IntegerField(help_text="In less out less on hand: 0, or look.")
    sold = serializers.IntegerField(help_text="In the period, as all that follows.")
    revenue = serializers.FloatField(help_text="Taka, after discounts.")
    cost = serializers.FloatField(help_text="Taka, of the codes whose cost is known.")
    without_cost = serializers.IntegerField(help_text="Codes whose cost is not known.")
    margin = serializers.FloatField(help_text="Of the codes whose cost is known.")


class StockBooksSchema(serializers.Serializer[Any]):
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="Included.")
    zone = serializers.CharField()
    rows = CodesOfVariantSchema(many=True)
    totals = CodesOfVariantSchema()


def stock_data(row: Stock) -> dict[str, Any]:
    known = row.variant.pk is not None
    return {
        "variant_id": row.variant.pk,
        "product": row.variant.product.name if known else "",
        "variant": row.variant.name,
        "in_batches": row.batches,
        "in_purchases": row.purchases,
        "in_by_hand": row.by_hand,
        "codes_in": row.came,
        "out_delivered": row.delivered,
        "out_void": row.void,
        "on_hand": row.on_hand,
        "difference": row.difference,
        "sold": row.sold,
        "revenue": number(row.revenue),
        "cost": number(row.cost),
        "without_cost": row.without_cost,
        "margin": number(row.margin),
    }


class ReconcileSerializer(StrictSerializer):
    side = serializers.ChoiceField(choices=Side.choices)
    provider = TextField(max_length=60, help_text="Payment method, or slug of the partner.")
    layout = serializers.ChoiceField(
        choices=LAYOUTS, required=False, help_text="Default: the provider's own."
    )
    columns = serializers.DictField(
        child=TextField(max_length=100),
        required=False,
        help_text=f"For `generic`: meaning -> column. Meanings: {', '.join(FIELDS)}.",
    )
    currency = serializers.RegexField(
        "^[A-Z]{3}$", required=False, help_text="Of a generic file that does not say it."
    )
    zone = TextField(
        max_length=60, required=False, help_text="Of times without one. Default: the layout's."
    )
    period_from = serializers.DateTimeField()
    period_to = serializers.DateTimeField(help_text="The first instant after the period.")
    file_name = TextField(max_length=200, required=False, allow_blank=True)
    content = TextField(
        max_length=1_000_000, trim_whitespace=False, help_text="The CSV itself, header included."
    )

    def wish(self) -> Wish:
        data = self.validated_data
        return Wish(
            side=data["side"],
            provider=data["provider"],
            layout=data.get("layout") or data["provider"],
            since=data["period_from"],
            until=data["period_to"],
            content=data["content"].encode(),
            file_name=data.get("file_name", ""),
            zone=data.get("zone", ""),
            columns=data.get("columns", {}),
            currency=data.get("currency", "BDT"),
        )


class ExplainSerializer(StrictSerializer):
    note = TextField(max_length=500, help_text="What it was; kept with who said it and when.")


class ReconciliationSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    side = serializers.ChoiceField(choices=Side.choices)
    provider = serializers.CharField()
    layout = serializers.ChoiceField(choices=LAYOUTS)
    zone = serializers.CharField()
    period_from = serializers.DateTimeField()
    period_to = serializers.DateTimeField()
    file_name = serializers.CharField(allow_blank=True)
    lines = serializers.IntegerField(help_text="Of the period, that moved money.")
    skipped = serializers.IntegerField(help_text="Lines that moved none.")
    outside = serializers.IntegerField(help_text="Lines of another time than the period.")
    matched = serializers.IntegerField()
    uncompared = serializers.IntegerField(
        help_text="Of the matched: the partner had not told its charge, so it was not compared."
    )
    theirs = serializers.DictField(child=serializers.FloatField(), help_text="Currency -> sum.")
    ours = serializers.DictField(child=serializers.FloatField(), help_text="Currency -> sum.")
    gaps = serializers.IntegerField()
    gaps_open = serializers.IntegerField(help_text="Not explained yet.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


def reconciliation_data(run: Any) -> dict[str, Any]:
    """Of a run as `selectors.runs` reads it."""
    return {
        "id": run.pk,
        "side": run.side,
        "provider": run.provider,
        "layout": run.layout,
        "zone": run.zone,
        "period_from": instant(run.period_from),
        "period_to": instant(run.period_to),
        "file_name": run.file_name,
        "lines": run.lines,
        "skipped": run.skipped,
        "outside": run.outside,
        "matched": run.matched,
        "uncompared": run.uncompared,
        "theirs": _sums(run, "theirs"),
        "ours": _sums(run, "ours"),
        "gaps": run.gaps_found,
        "gaps_open": run.gaps_open,
        "created_by": str(run.created_by),
        "created_at": instant(run.created_at),
    }


def _sums(run: Reconciliation, whose: str) -> dict[str, float]:
    return {currency: float(amount) for currency, amount in run.totals.get(whose, {}).items()}


class GapSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=GapKind.choices)
    is_refund = serializers.BooleanField()
    line = serializers.IntegerField(allow_null=True, help_text="Of the file, from 1.")
    reference = serializers.CharField(allow_blank=True, help_text="Ours, as far as known.")
    transaction = serializers.CharField(allow_blank=True, help_text="Theirs.")
    ours = serializers.FloatField(allow_null=True)
    theirs = serializers.FloatField(allow_null=True)
    amount = serializers.FloatField(help_text="Theirs less ours; of refunds the other way round.")
    currency = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    remark = serializers.CharField(allow_blank=True)
    payment_id = serializers.IntegerField(allow_null=True)
    refund_id = serializers.IntegerField(allow_null=True)
    purchase_id = serializers.IntegerField(allow_null=True)
    explained_at = serializers.DateTimeField(allow_null=True)
    explained_by = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)


def gap_data(gap: Gap) -> dict[str, Any]:
    return {
        "id": gap.pk,
        "kind": gap.kind,
        "is_refund": gap.is_refund,
        "line": gap.line,
        "reference": gap.reference,
        "transaction": gap.transaction,
        "ours": number(gap.ours),
        "theirs": number(gap.theirs),
        "amount": number(gap.amount),
        "currency": gap.currency,
        "at": instant(gap.at),
        "remark": gap.remark,
        "payment_id": gap.payment_id,
        "refund_id": gap.refund_id,
        "purchase_id": gap.purchase_id,
        "explained_at": instant(gap.explained_at),
        "explained_by": str(gap.explained_by) if gap.explained_by else None,
        "note": gap.note,
    }
