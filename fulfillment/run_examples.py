"""How recovery runs are documented."""

from typing import Any, Final

from core.api.schema import example, page_of_one, refusal, sent

_PLANNED: Final[dict[str, Any]] = {
    "id": 12,
    "action": "partner_retry",
    "status": "PLANNED",
    "paused_because": None,
    "notes": "After the outage of Zendit at 02:10",
    "per_minute": 60,
    "picked": {"tab": "needs_attention", "partner": "zendit"},
    "created_by": {"id": 2, "name": "Ops Team", "email": "ops@bdvoucher.com"},
    "progress": {
        "total": 300,
        "waiting": 296,
        "working": 0,
        "delivered": 0,
        "failed": 0,
        "skipped": 4,
        "percent": 1,
    },
    "foreseen": {"codes": 351, "cost": 315900, "cost_unknown": 0},
    "created_at": "2026-04-27T02:40:00.000Z",
    "started_at": None,
    "ended_at": None,
}
_RUNNING: Final = {
    **_PLANNED,
    "status": "RUNNING",
    "started_at": "2026-04-27T02:41:00.000Z",
    "progress": {
        "total": 300,
        "waiting": 199,
        "working": 1,
        "delivered": 95,
        "failed": 1,
        "skipped": 4,
        "percent": 33,
    },
}
_NO_RUN: Final = refusal(404, "There is no such run.")
_OVER: Final = refusal(409, "Run 12 is done.")
PLAN: Final = [
    sent(
        {
            "action": "partner_retry",
            "filter": {"tab": "needs_attention", "partner": "zendit"},
            "perMinute": 60,
            "notes": "After the outage of Zendit at 02:10",
        },
        "ByFilter",
    ),
    sent({"action": "resend_email", "orderIds": [88, 91]}, "TickedOrders"),
    example("Planned", _PLANNED, "300 row(s) planned, 4 of them blocked.", status=201),
    refusal(400, "No order is picked.", "filter", "empty"),
]
RUNS: Final = [
    example("OneRun", page_of_one(_RUNNING, limit=20)),
    refusal(400, "limit must be a whole number from 1 to 100.", "limit"),
]
RUN: Final = [example("Running", _RUNNING), _NO_RUN]
_ROW: Final = {
    "id": 4001,
    "order_id": 88,
    "order_number": "20260427",
    "order_item_id": 123,
    "status": "DELIVERED",
    "foreseen": "buy 1 from Zendit",
    "blocked": None,
    "codes": 1,
    "cost": 900,
    "attempt_id": 43,
    "message": "Voucher delivered via zendit",
    "began_at": "2026-04-27T02:41:01.000Z",
    "ended_at": "2026-04-27T02:41:02.000Z",
}
ROWS: Final = [
    example("OneRow", page_of_one(_ROW, limit=50)),
    refusal(400, "limit must be a whole number from 1 to 100.", "limit"),
    _NO_RUN,
]
START: Final = [
    example("Running", _RUNNING, "The run goes on in the background."),
    _NO_RUN,
    _OVER,
]
PAUSE: Final = [
    example("Paused", {**_RUNNING, "status": "PAUSED"}, "No further row is begun."),
    _NO_RUN,
    _OVER,
]
STOP: Final = [
    example(
        "Stopped",
        {**_RUNNING, "status": "STOPPED", "ended_at": "2026-04-27T02:43:00.000Z"},
        "The run is over; waiting rows were left alone.",
    ),
    _NO_RUN,
    _OVER,
]
