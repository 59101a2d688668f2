"""How payments are documented: the seed's own body and what becomes of it."""

from typing import Final

from core.api.schema import example, refusal, sent

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
        "Order created; the payment page can't be opened just now, please try again.",
    ),
    refusal(400, "The order's total is 500.00 BDT.", "amount"),
    refusal(400, "Choose one of: paystation, bkash.", "method", "invalid_choice"),
    refusal(404, "There is no such order."),
    refusal(409, "Order 20260427 can't be paid: it is SUCCEEDED."),
    refusal(409, "Not enough stock.", "items.1.quantity", "out_of_stock"),
]
INITIATE: Final = [
    sent(BODY),
    sent({"method": "bkash"}, "Another gateway for this try"),
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
