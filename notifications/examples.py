"""How the routes of an order's mails are documented."""

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
    refusal(502, "The e-mail could not be handed over for sending; try again."),
]
