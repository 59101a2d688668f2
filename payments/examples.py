"""How payments are documented: the seed's own body and what becomes of it."""

from typing import Final

from core.api.schema import example, refusal, sent
from orders.examples import NOT_ON_THE_LIST, RETURN_ADDRESS

#: The seed's body of `POST /api/v1/payments/initiate/:orderId`.
BODY: Final = {
    "amount": 500,
    "currency": "BDT",
    "method": "bkash",
    "description": "Order #12345",
}
SESSION: Final = {
    "transactionId": "BDV-20260427-1",
    "status": "PENDING",
    "method": "bkash",
    "paymentGatewayUrl": "https://payment.bkash.com/?paymentId=TR0011ON1565154754797",
}
_OPENED: Final = [
    example("Redirect the customer", SESSION, "Payment session created"),
    example(
        "The gateway is away; try again",
        None,
        "The payment page can't be opened just now, please try again.",
    ),
    refusal(400, "The order's total is 500.00 BDT.", "amount"),
    refusal(400, "Choose one of: paystation, bkash.", "method", "invalid_choice"),
    refusal(400, NOT_ON_THE_LIST, "return_url", "not_allowed"),
    refusal(404, "There is no such order."),
    refusal(409, "Order 20260427 can't be paid: it is SUCCEEDED."),
    refusal(409, "Not enough stock.", "items.1.quantity", "out_of_stock"),
]
INITIATE: Final = [
    sent(BODY),
    sent({"method": "bkash"}, "Another gateway for this try"),
    sent({"return_url": RETURN_ADDRESS}, "Back to the client's own page"),
    *_OPENED,
]
INITIATE_BY_BODY: Final = [sent({"orderId": "20260427", **BODY}), *_OPENED]
_STATUS: Final = {
    "transactionId": "BDV-20260427-1",
    "orderId": 42,
    "orderNumber": "20260427",
    "orderStatus": "PENDING",
    "status": "SUCCEEDED",
    "method": "bkash",
    "amount": 500,
    "currency": "BDT",
    "final": True,
}
STATUS: Final = [
    example("Paid", _STATUS),
    example(
        "Not decided yet: ask again",
        {**_STATUS, "orderStatus": "INITIATED", "status": "PENDING", "final": False},
    ),
    refusal(404, "There is no such payment."),
]
CHANNELS: Final = [
    example(
        "Channels",
        [
            {"id": 1, "slug": "sslcommerz", "enabled": True},
            {"id": 2, "slug": "bkash", "enabled": True},
            {"id": 3, "slug": "paystation", "enabled": True},
            {"id": 4, "slug": "dcb", "enabled": False},
            {"id": 5, "slug": "nagad", "enabled": False},
        ],
    )
]
_REFUND: Final = {
    "id": 5,
    "reference": "BDV-20260427-1-R1",
    "status": "SUCCEEDED",
    "amount": 100,
    "reason": "Out of stock at every partner",
    "units": [[123, 2]],
    "revoked_codes": 0,
    "by_hand": False,
    "hand_reference": None,
    "gateway_refund_id": "AHL907B8SE",
    "error": "transactionStatus 'Completed'",
    "requested_by": "finance@bdvoucher.com",
    "next_check_at": None,
    "created_at": "2026-04-28T09:00:00.000Z",
    "ended_at": "2026-04-28T09:00:02.000Z",
}
_OPERATOR_PAYMENT: Final = {
    **_STATUS,
    "id": 77,
    "orderStatus": "NEEDS_ATTENTION",
    "effective": True,
    "gateway_transaction_id": "AH24068KCQ",
    "received_amount": 500,
    "received_currency": "BDT",
    "refunded_amount": 100,
    "reason": "transactionStatus 'Completed'",
    "paid_at": "2026-04-27T14:21:00.000Z",
    "refunds": [_REFUND],
    "exchanges": [
        {
            "asked": "verify",
            "answer": "paid",
            "reason": "transactionStatus 'Completed'",
            "evidence": {"trxID": "AH24068KCQ", "amount": "500.00"},
            "times": 1,
            "milliseconds": 412,
            "refund": None,
            "at": "2026-04-27T14:21:00.000Z",
            "last_at": "2026-04-27T14:21:00.000Z",
        }
    ],
}
_NO_PAYMENT: Final = refusal(404, "There is no such payment.")
GET_PAYMENT: Final = [example("A payment, paid back in part", _OPERATOR_PAYMENT), _NO_PAYMENT]
VERIFY: Final = [
    example("Nothing new", _OPERATOR_PAYMENT, "The gateway's answer changed nothing."),
    example(
        "The gateway is away",
        {**_OPERATOR_PAYMENT, "refunds": [], "refunded_amount": 0},
        "The gateway gave no clear answer; it is asked again by the plan.",
        success=False,
    ),
    _NO_PAYMENT,
]
_WAITING: Final = {
    **_REFUND,
    "status": "REQUESTED",
    "by_hand": True,
    "gateway_refund_id": None,
    "error": None,
    "ended_at": None,
}
_BY_HAND: Final = "This gateway can't refund: pay it back by hand, then mark it as paid."
REFUND: Final = [
    sent({"reason": "Out of stock at every partner"}, "Everything that is not paid back yet"),
    sent(
        {
            "reason": "One of two could not be delivered",
            "items": [{"orderItemId": 123, "units": [2]}],
        },
        "One unit",
    ),
    sent(
        {
            "reason": "The code was rejected by the issuer",
            "items": [{"orderItemId": 123, "units": [1]}],
            "revokeCodes": True,
        },
        "A delivered unit",
    ),
    example("Paid back", _REFUND, "The money is paid back."),
    example("A task for a person", _WAITING, _BY_HAND),
    _NO_PAYMENT,
    refusal(400, "These units are worth 100.00 BDT.", "amount", "max_value"),
    refusal(400, "Item 123 has no unit 3 that is not refunded yet.", "items.0.units"),
    refusal(409, "Payment BDV-20260427-1 is paid back in full already."),
    refusal(409, "Refund BDV-20260427-1-R1 is still under way: PENDING."),
    refusal(
        409,
        "1 of these units are delivered: their codes must be revoked first.",
        "revokeCodes",
        "required",
    ),
]
SETTLE_REFUND: Final = [
    sent({"outcome": "paid", "reference": "PS-REFUND-4711"}),
    sent({"outcome": "not_paid", "notes": "The account is closed."}, "It did not go back"),
    example(
        "Marked as paid",
        {**_REFUND, "by_hand": True, "gateway_refund_id": None, "hand_reference": "PS-REFUND-4711"},
        "The money is paid back.",
    ),
    refusal(404, "There is no such refund of this payment."),
    refusal(400, "Name the reference of the payment.", "reference", "required"),
    refusal(409, "Refund BDV-20260427-1-R1 has ended: SUCCEEDED."),
]
