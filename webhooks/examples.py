"""How the routes of the delivery log are documented."""

from typing import Any, Final

from core.api.schema import example, page_of_one, refusal, sent

_ROW: Final[dict[str, Any]] = {
    "id": 7,
    "eventId": "0b8e7c4e-64f4-5b4e-9e0b-0c8a51f8a0d2",
    "type": "order.succeeded",
    "endpoint_id": 1,
    "endpoint": "Storefront",
    "subject": "20260427",
    "status": "DEAD",
    "tries": 5,
    "next_try_at": None,
    "delivered_at": None,
    "error": "HTTP 500",
    "replayed_at": None,
    "replayed_by": None,
    "replay_reason": None,
    "created_at": "2026-04-27T14:22:00.000Z",
}
_BODY: Final = (
    '{"eventId":"0b8e7c4e-64f4-5b4e-9e0b-0c8a51f8a0d2","type":"order.succeeded",'
    '"createdAt":"2026-04-27T14:22:00.000Z","data":{"order":{"id":88,"order_number":"20260427",'
    '"status":"SUCCEEDED","total_amount":500,"currency":"BDT",'
    '"paid_at":"2026-04-27T14:21:00.000Z"}}}'
)
_ATTEMPT: Final = {
    "number": 5,
    "at": "2026-04-27T15:34:30.000Z",
    "answer_status": 500,
    "milliseconds": 112,
    "error": "HTTP 500",
}
_REPLAYED: Final = {
    **_ROW,
    "status": "PENDING",
    "tries": 0,
    "next_try_at": "2026-04-27T16:00:00.000Z",
    "replayed_at": "2026-04-27T16:00:00.000Z",
    "replayed_by": "Ops Team",
    "replay_reason": "The receiver was repaired",
}
_NONE: Final = refusal(404, "There is no such delivery.")
LIST: Final = [
    example("OneDeadLetter", page_of_one(_ROW, limit=20)),
    refusal(400, "status must be one of PENDING, SENDING, DELIVERED, DEAD.", "status"),
]
DETAIL: Final = [example("FiveTries", {**_ROW, "body": _BODY, "attempts": [_ATTEMPT]}), _NONE]
REPLAY: Final = [
    sent({"reason": "The receiver was repaired"}),
    example("Replayed", _REPLAYED, "Sent again; every try is new."),
    refusal(400, "This field is required.", "reason", "required"),
    _NONE,
    refusal(409, "Only what failed for good is replayed; this is DELIVERED."),
]
