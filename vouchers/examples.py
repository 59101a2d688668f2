"""How vouchers are documented."""

from typing import Final

from core.api.schema import example, page_of_one, refusal

VOUCHER: Final = {
    "id": 101,
    "code": "ABCD-1234-EFGH-5678",
    "pin": None,
    "redemption_url": None,
    "status": "sold",
    "serial_number": None,
    "expires_at": "2027-04-27T00:00:00.000Z",
    "sold_at": "2026-04-27T14:21:58.000Z",
    "used_at": None,
    "variant_id": 22402,
    "product_name": "Free Fire Diamonds",
    "variant_name": "100 Diamonds",
    "price": 100,
    "order_id": 42,
    "order_number": "20260427",
}
NO_VOUCHER: Final = refusal(404, "There is no such voucher.")
LIST: Final = [
    example("Vouchers", page_of_one(VOUCHER, limit=20)),
    refusal(400, "sort must be one of: newest, price_asc, price_desc.", "sort"),
]
DETAIL: Final = [example("Voucher", VOUCHER), NO_VOUCHER]
MARK_USED: Final = [
    example(
        "Used",
        {**VOUCHER, "status": "used", "used_at": "2026-05-02T08:15:30.000Z"},
        "Voucher marked as used",
    ),
    NO_VOUCHER,
    refusal(409, "This voucher is marked as used already."),
]
