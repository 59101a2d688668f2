"""Bodies and answers of recovery runs."""

from typing import Any

from rest_framework import serializers

from core.api.fields import StrictSerializer, instant, number
from fulfillment.models import RecoveryRow, RecoveryRun
from fulfillment.queue import TAB_NAMES, Wish
from fulfillment.runs import MOST_ORDERS, MOST_PER_MINUTE, Progress, RunWish
from fulfillment.serializers import IdField
from fulfillment.states import RowStatus, RunAction, RunStatus
from orders.states import OrderStatus


class RunFilterSerializer(StrictSerializer):
    """The filters of the queue."""

    tab = serializers.ChoiceField(choices=TAB_NAMES, required=False, default="needs_attention")
    search = serializers.CharField(max_length=200, required=False, default="")
    status = serializers.ChoiceField(choices=OrderStatus.choices, required=False)
    paymentMethod = serializers.CharField(max_length=20, required=False, default="")  # noqa: N815
    partner = serializers.CharField(max_length=60, required=False, default="")
    cause = serializers.CharField(max_length=60, required=False, default="")
    placedFrom = serializers.DateTimeField(required=False, default=None, allow_null=True)  # noqa: N815
    placedTo = serializers.DateTimeField(required=False, default=None, allow_null=True)  # noqa: N815

    def to_wish(self, data: dict[str, Any]) -> Wish:
        return Wish(
            tab=data["tab"],
            search=data["search"],
            status=data.get("status", ""),
            payment_method=data["paymentMethod"],
            partner=data["partner"],
            cause=data["cause"],
            placed_from=data["placedFrom"],
            placed_to=data["placedTo"],
        )


class PlanRunSerializer(StrictSerializer):
    """What a run is to do, and to which orders: `filter` or `orderIds`."""

    action = serializers.ChoiceField(choices=RunAction.choices)
    filter = RunFilterSerializer(required=False)
    orderIds = serializers.ListField(  # noqa: N815
        child=IdField(), required=False, allow_empty=False, max_length=MOST_ORDERS
    )
    partnerSourceId = IdField(required=False, default=None, allow_null=True)  # noqa: N815
    perMinute = serializers.IntegerField(  # noqa: N815
        required=False, default=60, min_value=1, max_value=MOST_PER_MINUTE
    )
    notes = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("filter" in attrs) == ("orderIds" in attrs):
            message = "Name the orders either by filter or by orderIds."
            raise serializers.ValidationError({"filter": [message]})
        return attrs

    def run_wish(self) -> RunWish:
        data = self.validated_data
        picked = self.fields["filter"]
        return RunWish(
            action=data["action"],
            orders=picked.to_wish(data["filter"]) if "filter" in data else None,  # type: ignore[attr-defined]
            order_ids=data.get("orderIds", ()),
            source_id=data["partnerSourceId"],
            per_minute=data["perMinute"],
            notes=data["notes"],
        )


class ProgressSchema(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    waiting = serializers.IntegerField()
    working = serializers.IntegerField(help_text="At work, or going on in the background.")
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="Blocked from the start, refused, or stopped.")
    percent = serializers.IntegerField()


class ForeseenSchema(serializers.Serializer[Any]):
    codes = serializers.IntegerField(help_text="Codes to obtain.")
    cost = serializers.FloatField(help_text="BDT, as far as costs are known.")
    cost_unknown = serializers.IntegerField(help_text="Rows whose cost nobody knows.")


class RunPersonSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)


class RunSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    action = serializers.ChoiceField(choices=RunAction.choices)
    status = serializers.ChoiceField(choices=RunStatus.choices)
    paused_because = serializers.CharField(
        allow_null=True, help_text="Why it paused by itself; it goes on by itself too."
    )
    notes = serializers.CharField(allow_blank=True)
    per_minute = serializers.IntegerField()
    picked = serializers.DictField(help_text="The filters, or how many orders were ticked.")
    created_by = RunPersonSchema()
    progress = ProgressSchema()
    foreseen = ForeseenSchema()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class RunRowSchema(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    order_id = serializers.IntegerField()
    order_number = serializers.CharField()
    order_item_id = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=RowStatus.choices)
    foreseen = serializers.CharField(allow_blank=True)
    blocked = serializers.CharField(allow_null=True)
    codes = serializers.IntegerField()
    cost = serializers.FloatField(allow_null=True)
    attempt_id = serializers.IntegerField(allow_null=True)
    message = serializers.CharField(allow_null=True)
    began_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


def run_data(run: RecoveryRun, progress: Progress) -> dict[str, Any]:
    person = run.created_by
    return {
        "id": run.pk,
        "action": run.action,
        "status": run.status,
        "paused_because": run.paused_because or None,
        "notes": run.notes,
        "per_minute": run.per_minute,
        "picked": run.wish,
        "created_by": {"id": person.pk, "name": person.name, "email": person.email},
        "progress": {
            "total": progress.total,
            "waiting": progress.waiting,
            "working": progress.working,
            "delivered": progress.delivered,
            "failed": progress.failed,
            "skipped": progress.skipped,
            "percent": progress.percent,
        },
        "foreseen": {
            "codes": progress.codes,
            "cost": number(progress.cost),
            "cost_unknown": progress.cost_unknown,
        },
        "created_at": instant(run.created_at),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
    }


def run_row_data(row: RecoveryRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "order_id": row.order_id,
        "order_number": row.order.order_number,
        "order_item_id": row.item_id,
        "status": row.status,
        "foreseen": row.foreseen,
        "blocked": row.blocked or None,
        "codes": row.codes,
        "cost": number(row.cost),
        "attempt_id": row.attempt_id,
        "message": row.message or None,
        "began_at": instant(row.began_at),
        "ended_at": instant(row.ended_at),
    }
