"""How the routes of mails and alerts are documented."""

from typing import Any, Final

from core.api.schema import example, refusal, sent
from orders.examples import ORDER

EMAIL: Final = {
    "emailId": None,
    "templateName": "ORDERCONFIRMATION",
    "templateDefinitionName": "orderconfirmation.shop.purchase",
    "recipient": "customer@example.com",
    "paymentId": "BDV-20260427-1",
    "createDate": "2026-04-27T15:02:00.000Z",
    "status": "QUEUED",
}
_ORDER: Final[dict[str, Any]] = {
    **ORDER,
    "voucher_codes": ["••••5678", "••••5432"],
    "items": [
        {
            **ORDER["items"][0],
            "voucher_codes": ["••••5678", "••••5432"],
            "voucher": {**ORDER["items"][0]["voucher"], "code": "••••5678"},
        }
    ],
    "source": "PURCHASE",
    "offerSubSource": None,
    "subscriptionId": None,
    "endUser": {"email": "customer@example.com", "language": "en"},
    "prebillingStatus": None,
    "emailConfirmationStatus": "PENDING",
    "emailCancellationStatus": None,
    "partialRefundEmailStatus": None,
    "emails": [EMAIL],
}
_SENT: Final = {
    **_ORDER,
    "emailConfirmationStatus": "COMPLETED",
    "emails": [{**EMAIL, "emailId": "<20260427.2@mail.bdvoucher.com>", "status": "SENT"}],
}
_SWITCHED_OFF: Final = {**_ORDER, "emailConfirmationStatus": "COMPLETED", "emails": []}
NO_ORDER: Final = refusal(404, "There is no such order.")
GET_ORDER: Final = [example("Confirmation sent", _SENT), NO_ORDER]
SEND_EMAIL: Final = [
    sent({"template": "ORDERCONFIRMATION"}, "To the order's own address"),
    sent(
        {
            "template": "ORDERCONFIRMATION",
            "to": "new-address@example.com",
            "paymentId": "BDV-20260427-1",
        },
        "To another address: a right of its own",
    ),
    example("Accepted for sending", _ORDER, "E-mail accepted for sending", status=202),
    example(
        "Nothing was sent: the store does not send it",
        _SWITCHED_OFF,
        "This store does not send this kind of e-mail; nothing was sent.",
    ),
    refusal(400, "The payment is not completed.", "template", "not_eligible"),
    refusal(400, "This is no payment of the order.", "paymentId", "not_found"),
    refusal(403, "You may send only to the order's own address."),
    NO_ORDER,
    refusal(429, "Mails of this order were sent again 5 times within an hour. Please wait."),
    refusal(502, "The e-mail could not be handed over for sending; try again."),
]

_ALERT: Final[dict[str, Any]] = {
    "id": 9,
    "type": "late_payment",
    "message": "BDV-20260427-1 was paid after the order was closed.",
    "order_id": 88,
    "order_number": "20260427",
    "correlation_id": "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
    "created_at": "2026-04-27T14:21:00.000Z",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "resolved_at": None,
    "resolved_by": None,
    "resolution_notes": None,
    "closes_by_itself": False,
}
_PERSON: Final = {"id": 2, "name": "Ops Team", "email": "ops@bdvoucher.com"}
_SEEN: Final = {
    **_ALERT,
    "acknowledged_at": "2026-04-27T14:30:00.000Z",
    "acknowledged_by": _PERSON,
}
_NONE: Final = refusal(404, "There is no such alert.")
ALERTS: Final = [
    example(
        "OneOpenAlert",
        {
            "items": [_ALERT],
            "page": 1,
            "limit": 20,
            "total": 1,
            "total_exact": True,
            "total_pages": 1,
        },
    ),
    refusal(400, "state must be one of open, closed, all.", "state"),
]
SEEN: Final = [example("Seen", _SEEN, "Marked as seen."), _NONE]
CLOSE: Final = [
    sent({"notes": "Refunded by hand, bKash ref. 8N7A6D5"}),
    example(
        "Closed",
        {
            **_SEEN,
            "resolved_at": "2026-04-27T14:40:00.000Z",
            "resolved_by": _PERSON,
            "resolution_notes": "Refunded by hand, bKash ref. 8N7A6D5",
        },
        "Closed.",
    ),
    _NONE,
    refusal(409, "Alert 9 was closed already by Ops Team."),
]
