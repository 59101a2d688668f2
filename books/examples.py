"""How the books are documented."""

from typing import Final

from core.api.schema import example, page_of_one, refusal, sent

_TAKINGS: Final = {
    "period": "2026-04-01",
    "method": "bkash",
    "is_money": True,
    "currency": "BDT",
    "payments": 412,
    "paid": 231500,
    "refunds": 3,
    "refunded": 1700,
    "net": 229800,
}
BOOKS: Final = [
    example(
        "April",
        {
            "first_day": "2026-04-01",
            "last_day": "2026-04-30",
            "zone": "Asia/Dhaka",
            "by": "month",
            "rows": [_TAKINGS],
            "totals": [{**_TAKINGS, "period": None, "method": ""}],
            "purchases": [
                {
                    "partner": "zendit",
                    "currency": "USD",
                    "purchases": 120,
                    "cost": 912.5,
                    "cost_bdt": 110400,
                }
            ],
        },
    ),
    refusal(400, "from must be a day such as 2026-04-27.", "from"),
]
_STOCK: Final = {
    "variant_id": 22401,
    "product": "Free Fire",
    "variant": "100 Diamonds",
    "in_batches": 1000,
    "in_purchases": 20,
    "in_by_hand": 2,
    "codes_in": 1022,
    "out_delivered": 640,
    "out_void": 2,
    "on_hand": 380,
    "difference": 0,
    "sold": 210,
    "revenue": 21000,
    "cost": 18400,
    "without_cost": 2,
    "margin": 2400,
}
STOCK: Final = [
    example(
        "One variant",
        {
            "first_day": "2026-04-01",
            "last_day": "2026-04-30",
            "zone": "Asia/Dhaka",
            "rows": [_STOCK],
            "totals": {**_STOCK, "variant_id": None, "product": "", "variant": ""},
        },
    ),
    refusal(400, "to must not be before from.", "to"),
]
_RUN: Final = {
    "id": 7,
    "side": "payments",
    "provider": "bkash",
    "layout": "bkash",
    "zone": "Asia/Dhaka",
    "period_from": "2026-03-31T18:00:00.000Z",
    "period_to": "2026-04-30T18:00:00.000Z",
    "file_name": "settlement-april.csv",
    "lines": 415,
    "skipped": 12,
    "outside": 0,
    "matched": 414,
    "uncompared": 0,
    "theirs": {"BDT": 230300},
    "ours": {"BDT": 229800},
    "gaps": 1,
    "gaps_open": 1,
    "created_by": "finance@bdvoucher.com",
    "created_at": "2026-05-02T05:12:00.000Z",
}
RUNS: Final = [
    example("Runs", page_of_one(_RUN, limit=20)),
    refusal(400, "page must be a whole number from 1 to 1000000.", "page"),
]
RUN: Final = [example("A run", _RUN), refusal(404, "There is no such reconciliation.")]
RECONCILE: Final = [
    sent(
        {
            "side": "payments",
            "provider": "bkash",
            "period_from": "2026-03-31T18:00:00.000Z",
            "period_to": "2026-04-30T18:00:00.000Z",
            "file_name": "settlement-april.csv",
            "content": "merchantInvoiceNumber,trxID,amount,completedTime,transactionStatus\n"
            "BDV-20260427-1,AHL907B8SE,500.00,2026-04-27 20:22:00,Completed\n",
        },
        "A gateway's settlement file",
    ),
    sent(
        {
            "side": "purchases",
            "provider": "zendit",
            "layout": "generic",
            "columns": {"reference": "Our ref", "amount": "Charged", "at": "When"},
            "currency": "USD",
            "zone": "UTC",
            "period_from": "2026-03-31T18:00:00.000Z",
            "period_to": "2026-04-30T18:00:00.000Z",
            "content": "Our ref;Charged;When\n20260427I1U1T1;7.60;2026-04-27 14:22:00\n",
        },
        "Any file, columns mapped",
    ),
    example("Compared", _RUN, "1 gap was found.", status=201),
    refusal(400, "The file was not read: Line 3: '5OO' is no amount.", "content"),
    refusal(400, "Choose one of: sslcommerz, bkash, paystation, dcb, nagad.", "provider"),
]
_GAP: Final = {
    "id": 12,
    "kind": "missing_here",
    "is_refund": False,
    "line": 83,
    "reference": "BDV-20260427-1",
    "transaction": "AHL907B8SE",
    "ours": None,
    "theirs": 500,
    "amount": 500,
    "currency": "BDT",
    "at": "2026-04-27T14:22:00.000Z",
    "remark": "Here it is FAILED.",
    "payment_id": 41,
    "refund_id": None,
    "purchase_id": None,
    "explained_at": None,
    "explained_by": None,
    "note": "",
}
GAPS: Final = [
    example("Gaps", page_of_one(_GAP, limit=50)),
    refusal(400, "limit must be a whole number from 1 to 100.", "limit"),
    refusal(404, "There is no such reconciliation."),
]
EXPLAIN: Final = [
    sent({"note": "Asked bKash: reversed by them on 28 April."}),
    example(
        "Explained",
        {
            **_GAP,
            "explained_at": "2026-05-02T05:20:00.000Z",
            "explained_by": "finance@bdvoucher.com",
            "note": "Asked bKash: reversed by them on 28 April.",
        },
        "The gap is explained.",
    ),
    refusal(400, "This field is required.", "note", "required"),
    refusal(404, "There is no such gap."),
    refusal(409, "finance@bdvoucher.com explained it already: reversed by them."),
]
