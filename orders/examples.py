"""How orders and discount codes are documented: the seeds' own bodies and answers."""

from typing import Any, Final

from core.api.schema import example, page_of_one, refusal, sent

RETURN_ADDRESS: Final = "https://app.example.com/paid"
NOT_ON_THE_LIST: Final = "This address is not on the shop's list of return addresses."
PLACED_AT: Final = "2026-04-27T14:20:00.000Z"
CODES: Final = ["ABCD-1234-EFGH-5678", "WXYZ-9876-MNOP-5432"]
SESSION: Final = {
    "transactionId": "BDV-20260427-1",
    "status": "PENDING",
    "method": "paystation",
    "paymentGatewayUrl": "https://api.paystation.com.bd/checkout/9f2c1e",
}
_UNPAID_ITEM: Final = {
    "id": 123,
    "variant_id": 22402,
    "product_name": "Free Fire Diamonds",
    "variant_name": "100 Diamonds",
    "quantity": 2,
    "unit_price": 100,
    "fulfillment_input": {"player_id": "123456789"},
    "fulfilled": False,
    "fulfilled_at": None,
    "fulfillment_status": None,
    "voucher_codes": [],
    "voucher": None,
}
ITEM: Final = {
    **_UNPAID_ITEM,
    "fulfilled": True,
    "fulfilled_at": "2026-04-27T14:21:58.000Z",
    "fulfillment_status": "SUCCEEDED",
    "voucher_codes": CODES,
    "voucher": {
        "id": 101,
        "code": "ABCD-1234-EFGH-5678",
        "status": "sold",
        "serial_number": None,
        "expires_at": "2027-04-27T00:00:00.000Z",
    },
}
PAYMENT: Final = {
    "id": 77,
    "transaction_id": "BDV-20260427-1",
    "status": "SUCCEEDED",
    "payment_method": "paystation",
    "amount": 200,
    "created_at": PLACED_AT,
}
ORDER: Final[dict[str, Any]] = {
    "id": 42,
    "order_number": "20260427",
    "status": "SUCCEEDED",
    "status_label": "Delivered",
    "status_message": "Your vouchers are delivered. We have e-mailed them to you.",
    "total_amount": 200,
    "currency": "BDT",
    "discount_code": None,
    "discount_amount": None,
    "voucher_codes": CODES,
    "dispatched_email": "customer@example.com",
    "email_sent_at": "2026-04-27T14:22:00.000Z",
    "items": [ITEM],
    "payments": [PAYMENT],
    "created_at": PLACED_AT,
    "updated_at": "2026-04-27T14:22:00.000Z",
}
PLACED: Final[dict[str, Any]] = {
    **ORDER,
    "status": "INITIATED",
    "status_label": "Awaiting payment",
    "status_message": "Your order is placed. Complete the payment to receive your vouchers.",
    "total_amount": 500,
    "voucher_codes": [],
    "dispatched_email": None,
    "email_sent_at": None,
    "items": [
        _UNPAID_ITEM,
        {
            **_UNPAID_ITEM,
            "id": 124,
            "variant_id": 22405,
            "product_name": "Steam Wallet",
            "variant_name": "USD 5 Steam Wallet",
            "quantity": 1,
            "unit_price": 300,
            "fulfillment_input": {"email": "gift-recipient@example.com"},
        },
    ],
    "payments": [{**PAYMENT, "status": "PENDING", "amount": 500}],
    "updated_at": PLACED_AT,
}
#: The seed's body of `POST /api/v1/orders`.
BODY: Final = {
    "items": [
        {"variant_id": 22402, "quantity": 2, "fulfillment_input": {"player_id": "123456789"}},
        {"variant_id": 22405, "quantity": 1},
    ],
    "payment_method": "paystation",
    "recipient_email": "gift-recipient@example.com",
}
NO_ORDER: Final = refusal(404, "There is no such order.")
LIST: Final = [example("Delivered", page_of_one(ORDER, limit=10))]
PLACE: Final = [
    sent(BODY, "Pattern A: pay at once"),
    sent({**BODY, "init_payment": False}, "Pattern B: initiate the payment later"),
    sent({**BODY, "discount_code": "SAVE20"}, "With a discount code"),
    sent({**BODY, "return_url": RETURN_ADDRESS}, "Back to the client's own page"),
    example(
        "Pattern A: a session is open",
        {**PLACED, "payment": SESSION},
        "Payment session created",
        status=201,
    ),
    example(
        "Pattern B: no session yet",
        {**PLACED, "payments": [], "payment": None},
        "Order created",
        status=201,
    ),
    example(
        "The gateway is away; initiate later",
        {**PLACED, "payments": [{**PAYMENT, "status": "FAILED", "amount": 500}], "payment": None},
        "Order created; the payment page can't be opened just now, please try again.",
        status=201,
    ),
    refusal(
        400,
        "Free Fire Player ID is required.",
        "items.0.fulfillment_input.player_id",
        "required",
    ),
    refusal(
        400,
        'Discount code "SAVE20" is not valid or has been deactivated.',
        "discount_code",
        "discount",
    ),
    refusal(400, NOT_ON_THE_LIST, "return_url", "not_allowed"),
    refusal(409, "Not enough stock.", "items.1.quantity", "out_of_stock"),
]
DETAIL: Final = [
    example("Delivered", ORDER),
    example("Waiting for payment", PLACED),
    NO_ORDER,
]
CANCEL: Final = [
    example(
        "Cancelled",
        {
            **PLACED,
            "status": "CANCELLED",
            "status_label": "Cancelled",
            "status_message": "This order was cancelled before payment.",
            "payments": [{**PAYMENT, "status": "CANCELLED", "amount": 500}],
        },
        "Order cancelled",
    ),
    NO_ORDER,
    refusal(409, "Order 20260427 can't be cancelled any more."),
]

DISCOUNT: Final = {
    "id": 3,
    "code": "SAVE20",
    "description": "20% off",
    "discount_type": "percentage",
    "discount_value": 20,
    "minimum_subtotal": 100,
    "maximum_amount": 500,
    "starts_at": "2026-04-01T00:00:00.000Z",
    "ends_at": None,
    "usage_limit": 1000,
    "per_user_limit": 1,
    "used_count": 17,
    "is_active": True,
    "created_at": "2026-03-28T09:00:00.000Z",
}
_BODY: Final = {
    name: DISCOUNT[name]
    for name in DISCOUNT
    if name not in ("id", "used_count", "created_at", "ends_at")
}
NO_DISCOUNT: Final = refusal(404, "There is no such discount code.")
PREVIEW: Final = [
    example(
        "20 % of 500 BDT",
        {
            "code": "SAVE20",
            "discount_type": "percentage",
            "discount_value": 20,
            "discount_amount": 100,
            "final_total": 400,
            "description": "20% off",
        },
    ),
    *(
        refusal(400, f'Discount code "SAVE20" {why}', "discount_code", "discount")
        for why in (
            "is not valid or has been deactivated.",
            "is not active yet.",
            "has expired.",
            "has been used up.",
            "needs an order of at least 100.00 BDT.",
            "was used by you as often as it may be.",
        )
    ),
]
DISCOUNT_LIST: Final = [example("Discount codes", page_of_one(DISCOUNT, limit=20))]
DISCOUNT_CREATE: Final = [
    sent(_BODY),
    example("Created", {**DISCOUNT, "used_count": 0}, "Discount code created", status=201),
    refusal(400, "A percentage is at most 100.", "discount_value"),
    refusal(409, 'There is a discount code "SAVE20" already.'),
]
DISCOUNT_DETAIL: Final = [example("Discount code", DISCOUNT), NO_DISCOUNT]
DISCOUNT_REPLACE: Final = [
    sent(_BODY),
    example("Changed", DISCOUNT),
    NO_DISCOUNT,
    refusal(400, "The end must come after the start.", "ends_at"),
    refusal(409, 'There is a discount code "SAVE20" already.'),
]
DISCOUNT_CHANGE: Final = [
    sent({"is_active": False}),
    example("Stopped", {**DISCOUNT, "is_active": False}),
    NO_DISCOUNT,
    refusal(400, "It was used 17 times already.", "usage_limit"),
    refusal(409, 'There is a discount code "SAVE20" already.'),
]
DISCOUNT_DELETE: Final = [
    example("Deleted", {**DISCOUNT, "used_count": 0}, "Discount code deleted"),
    NO_DISCOUNT,
    refusal(409, 'Discount code "SAVE20" was used; set is_active to false instead.'),
]
DISCOUNT_ORDERS: Final = [
    example(
        "Orders",
        page_of_one(
            {
                **ORDER,
                "total_amount": 160,
                "discount_code": "SAVE20",
                "discount_amount": 40,
                "voucher_codes": [],
                "items": [{**ITEM, "voucher_codes": [], "voucher": None}],
                "payments": [{**PAYMENT, "amount": 160}],
            },
            limit=20,
        ),
    ),
    NO_DISCOUNT,
]
