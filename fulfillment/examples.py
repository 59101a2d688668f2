"""How the recovery API is documented: the seed's own bodies and answers."""

from typing import Any, Final

from core.api.schema import example, page_of_one, refusal, sent
from orders.examples import ITEM, ORDER

CORRELATION: Final = "a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
_WAITING: Final = {
    **ITEM,
    "fulfilled": False,
    "fulfilled_at": None,
    "fulfillment_status": "PARTNER_FAILED",
    "voucher_codes": [],
    "voucher": None,
    "order_item_id": 123,
    "delivered": 0,
    "owed": 2,
    "open_at_partner": 0,
    "refunded_units": [],
}
_ORDER: Final[dict[str, Any]] = {
    **ORDER,
    "status": "NEEDS_ATTENTION",
    "status_label": "In progress",
    "status_message": "Your payment is safe with us. Delivery takes longer than usual; our team "
    "is on it and you need to do nothing.",
    "voucher_codes": [],
    "dispatched_email": None,
    "email_sent_at": None,
    "items": [_WAITING],
    "customer": {"id": 7, "name": "Rahim Uddin", "msisdn": "8801712345678"},
    "recipient_email": "customer@example.com",
    "held_for_risk": False,
    "closed_by_refund": False,
    "paid_at": "2026-04-27T14:21:00.000Z",
    "alerts": [
        {
            "id": 9,
            "type": "fulfillment_failed",
            "message": "No available fulfillment source for this product",
        }
    ],
}
NO_ORDER: Final = refusal(404, "There is no such order.")
UNPAID: Final = refusal(
    400, "Order 20260427 has no SUCCEEDED payment; refusing to dispatch voucher"
)
#: What every call about one item may meet.
GUARDS: Final = [
    UNPAID,
    NO_ORDER,
    refusal(404, "Order 20260427 has no item 123."),
    refusal(409, "Item 123 is already fulfilled."),
    refusal(409, "Item 123 was already dispatched by an earlier attempt."),
    refusal(
        409,
        "the automatic delivery is working on item 123 just now (attempt 41); try again shortly.",
    ),
    refusal(409, "Order 20260427 is held as risky; release or refund it first."),
]
CODE_GUARDS: Final = [
    refusal(400, "At least one code must be provided.", "codes", "required"),
    refusal(400, "Item 123 needs exactly 2 code(s), not 3.", "codes", "count"),
    refusal(409, "This code is already assigned to a different item.", "codes.0.code", "taken"),
]


def _acted(status: str, *, mailed: bool, attempt: int = 42, error: str = "") -> dict[str, Any]:
    data = {
        "attemptId": attempt,
        "correlationId": CORRELATION,
        "status": status,
        "emailSent": mailed,
    }
    return {**data, "errorMessage": error} if error else data


NOT_MAILED: Final = "mail server: connection refused"
GET_ORDER: Final = [example("Waiting for an operator", _ORDER), NO_ORDER]
MANUAL_CODE: Final = [
    sent(
        {
            "orderItemId": 123,
            "code": "ABCD-1234-EFGH-5678",
            "pin": "9999",
            "redemptionUrl": "https://partner.example/redeem",
            "partnerId": 5,
            "notes": "Manually sourced from supplier email 2026-04-27",
        },
        "One unit: the shorthand",
    ),
    sent(
        {
            "orderItemId": 123,
            "codes": [
                {
                    "code": "ABCD-1234-EFGH-5678",
                    "pin": "1111",
                    "expiresAt": "2027-12-31T23:59:59.000Z",
                    "metadata": {"supplier_batch": "BATCH-2026-04"},
                },
                {"code": "WXYZ-9876-MNOP-5432", "pin": "2222"},
                {"code": "QRST-1122-UVWX-3344", "pin": "3333"},
            ],
            "partnerId": 5,
            "notes": "3× quantity — all codes sourced from supplier",  # noqa: RUF001
        },
        "Several units: one entry each",
    ),
    example(
        "Delivered",
        _acted("DISPATCHED", mailed=True),
        "3 voucher code(s) delivered to customer",
    ),
    example(
        "Saved, e-mail not sent: send the same again",
        _acted("DISPATCH_FAILED", mailed=False, error=NOT_MAILED),
        "3 voucher code(s) saved, e-mail not sent",
        success=False,
    ),
    *GUARDS,
    *CODE_GUARDS,
]
_ROW: Final = {
    "orderItemId": 123,
    "success": True,
    "status": "DISPATCHED",
    "attemptId": 42,
    "message": "2 voucher code(s) delivered to customer",
    "error": None,
}
MANUAL_CODES: Final = [
    sent(
        {
            "notes": "Recovered after provider outage",
            "items": [
                {
                    "orderItemId": 123,
                    "variantId": 22402,
                    "codes": [
                        {"code": "ABCD-1234", "partnerId": 5},
                        {"code": "EFGH-5678", "partnerId": 8},
                    ],
                },
                {
                    "orderItemId": 124,
                    "partnerId": 5,
                    "codes": [{"code": "IJKL-9012", "pin": "9999"}],
                },
            ],
        }
    ),
    example(
        "Every row delivered",
        {
            "correlationId": CORRELATION,
            "status": "DISPATCHED",
            "emailSent": True,
            "results": [
                _ROW,
                {
                    **_ROW,
                    "orderItemId": 124,
                    "attemptId": 43,
                    "message": "1 voucher code(s) delivered to customer",
                },
            ],
        },
        "2 of 2 item(s) delivered to customer",
    ),
    example(
        "One row refused: send that one again",
        {
            "correlationId": CORRELATION,
            "status": "DISPATCHED",
            "emailSent": True,
            "results": [
                _ROW,
                {
                    "orderItemId": 124,
                    "success": False,
                    "status": None,
                    "attemptId": None,
                    "message": "Item 124 is already fulfilled.",
                    "error": "CONFLICT",
                },
            ],
        },
        "1 of 2 item(s) delivered to customer",
        success=False,
    ),
    UNPAID,
    NO_ORDER,
    refusal(409, "Order 20260427 is held as risky; release or refund it first."),
]
PARTNER_RETRY: Final = [
    sent({"orderItemId": 123, "notes": "Retrying after Zendit outage resolved at 14:30 UTC"}),
    sent(
        {"orderItemId": 123, "partnerSourceId": 7, "notes": "Forcing source #7 which has stock"},
        "One source by force",
    ),
    example(
        "Delivered",
        _acted("DISPATCHED", mailed=True, attempt=43),
        "Voucher delivered via zendit",
    ),
    example(
        "The partner has none",
        _acted(
            "PARTNER_FAILED",
            mailed=False,
            attempt=44,
            error="No available fulfillment source for this product",
        ),
        "Partner responded with status NO_STOCK",
        success=False,
    ),
    *GUARDS,
    refusal(400, "Item 123 cannot be served from source 7.", "partnerSourceId"),
]
RESEND: Final = [
    sent({"notes": "Customer requested resend"}),
    example("Sent", _acted("SUCCESS", mailed=True, attempt=45), "3 voucher code(s) sent again"),
    UNPAID,
    NO_ORDER,
    refusal(403, "You may send only to the order's own address."),
    refusal(409, "Order 20260427 has no code to send yet."),
]
RELEASE: Final = [
    sent({"reason": "The payer confirmed by phone."}),
    example(
        "Its delivery starts",
        {"orderId": 20, "orderNumber": "20260427", "status": "NEEDS_ATTENTION"},
        "Order 20260427 is released; its delivery has started.",
    ),
    NO_ORDER,
    refusal(400, "This field is required.", "reason", "required"),
    refusal(409, "Order 20260427 is not held as risky."),
]
ATTEMPTS: Final = [
    example(
        "A partner's no",
        page_of_one(
            {
                "id": 44,
                "order_item_id": 123,
                "type": "PARTNER_RETRY",
                "status": "PARTNER_FAILED",
                "correlation_id": CORRELATION,
                "error_message": "No available fulfillment source for this product",
                "partner_response": {"status": "NO_STOCK", "offerId": "zen_abc123"},
                "code_provided": None,
                "notes": "Retrying after Zendit outage resolved at 14:30 UTC",
                "next_try_at": None,
                "created_at": "2026-04-27T14:31:00.000Z",
                "ended_at": "2026-04-27T14:31:02.000Z",
                "admin_user": {"id": 2, "name": "Ops Team", "email": "ops@bdvoucher.com"},
                "partner_api_transaction": {
                    "id": 501,
                    "status": "FAILED",
                    "reference": "20260427I123U1T2",
                    "partner_transaction_id": None,
                    "voucher_code": None,
                    "created_at": "2026-04-27T14:31:00.000Z",
                },
            },
            limit=20,
        ),
    ),
    NO_ORDER,
]

_QUEUED: Final[dict[str, Any]] = {
    "id": 88,
    "order_number": "20260427",
    "status": "NEEDS_ATTENTION",
    "payment_method": "bkash",
    "total_amount": 1100,
    "currency": "BDT",
    "recipient_email": "customer@example.com",
    "customer": {"id": 7, "name": "Rahim Uddin", "msisdn": "8801712345678"},
    "held_for_risk": False,
    "items": [
        {
            "order_item_id": 123,
            "product": "Steam Wallet",
            "variant": "USD 10",
            "quantity": 1,
            "fulfillment_status": "PARTNER_FAILED",
        }
    ],
    "alerts": [
        {
            "id": 9,
            "type": "fulfillment_failed",
            "message": "1 code(s) owed; no source could deliver them.",
        }
    ],
    "created_at": "2026-04-27T14:19:00.000Z",
    "paid_at": "2026-04-27T14:21:00.000Z",
}
QUEUE: Final = [
    example(
        "OrdersThatNeedAttention",
        {
            "items": [_QUEUED],
            "page": 1,
            "limit": 20,
            "total": 1,
            "total_exact": True,
            "total_pages": 1,
            "next_after": None,
        },
    ),
    refusal(400, "limit must be a whole number from 1 to 100.", "limit"),
]
_PURCHASE: Final[dict[str, Any]] = {
    "id": 501,
    "order_item_id": 123,
    "unit_no": 1,
    "partner": "zendit",
    "offer": "zen_abc123",
    "reference": "20260427I123U1T1",
    "partner_transaction_id": None,
    "status": "UNKNOWN",
    "error": "no answer",
    "sent_at": "2026-04-27T14:21:02.000Z",
    "checks": 7,
    "next_check_at": "2026-04-27T14:35:00.000Z",
    "ended_at": None,
    "close_reason": None,
}
PURCHASES: Final = [example("OneOpenPurchase", {"items": [_PURCHASE]}), NO_ORDER]
_TOLD: Final = "Zendit support, ticket 7: delivered at 14:22"
CLOSE_PURCHASE: Final = [
    sent({"outcome": "bought", "reason": _TOLD, "code": "ABCD-1234", "pin": "9999"}, "Bought"),
    sent({"outcome": "not_bought", "reason": "Zendit support: never arrived"}, "NotBought"),
    example(
        "Closed",
        {
            **_PURCHASE,
            "status": "SUCCEEDED",
            "error": None,
            "next_check_at": None,
            "ended_at": "2026-04-27T15:02:00.000Z",
            "close_reason": _TOLD,
        },
        "Purchase 20260427I123U1T1 is closed.",
    ),
    refusal(400, "Give the code that was bought.", "code"),
    refusal(404, "The order has no such purchase."),
    refusal(409, "Purchase 20260427I123U1T1 is SUCCEEDED; only an open one is closed."),
]
_PARTNER: Final[dict[str, Any]] = {
    "id": 1,
    "slug": "zendit",
    "name": "Zendit",
    "state": "closed",
    "failures": 0,
    "open_until": None,
    "last_error": None,
    "balance": 1250.5,
    "balance_currency": "USD",
    "balance_at": "2026-04-27T14:20:00.000Z",
}
_NO_PARTNER: Final = refusal(404, "There is no such partner.")
PARTNERS: Final = [example("AllIsWell", {"items": [_PARTNER]})]
RESET_PARTNER: Final = [
    example("LetThrough", _PARTNER, "Purchases are let through again."),
    _NO_PARTNER,
]
CHECK_PARTNER: Final = [
    example("Answers", _PARTNER, "Zendit answers."),
    example("Silent", _PARTNER, "Zendit could not be asked.", success=False),
    _NO_PARTNER,
]
