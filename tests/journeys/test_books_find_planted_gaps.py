"""A shop that sells by several gateways; settlement files made of the gateways' own ledgers, with
gaps planted in them. Each is found with its amount, and nothing else.
"""

import csv
import io
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bdvoucher.local.client import Login, ShopClient

pytestmark = pytest.mark.journey

FINANCE = Login("finance@bdvoucher.com", "finance-demo")
NETFLIX = 22407
"""Bought from Zendit, so that each sale is a purchase as well."""
#: Column of the settlement file -> field of the simulator's ledger.
BKASH = {"merchantInvoiceNumber": "invoice", "trxID": "trx_id", "amount": "charged_amount"}
NAGAD = {"orderId": "order_id", "issuerPaymentRefNo": "issuer_ref", "amount": "paid_amount"}
PAYSTATION = {
    "invoice_number": "invoice_number", "trx_id": "trx_id", "request_amount": "request_amount",
}  # fmt: skip
AMOUNT = {"bkash": "amount", "nagad": "amount", "paystation": "request_amount"}
LEDGERS = {"bkash": BKASH, "nagad": NAGAD, "paystation": PAYSTATION}


def sold(client: ShopClient, method: str) -> dict[str, Any]:
    placed = client.place_order(
        {
            "items": [{"variant_id": NETFLIX, "quantity": 1}],
            "payment_method": method,
            "recipient_email": f"books-{uuid.uuid4().hex[:10]}@example.com",
        }
    )
    client.pay(placed["payment"]["paymentGatewayUrl"])
    order = client.wait_for(placed["id"], "SUCCEEDED", seconds=60)
    return order | {"reference": placed["payment"]["transactionId"]}


def settlement(
    client: ShopClient, method: str, orders: Sequence[dict[str, Any]]
) -> list[dict[str, str]]:
    """What the gateway would settle of these orders, in their order."""
    columns = LEDGERS[method]
    rows = client.control("GET", f"{method}/ledger")["payments"]
    reference = next(iter(columns.values()))
    by_name = {str(row[reference]).replace("-", ""): row for row in rows}
    return [
        {
            column: str(by_name[order["reference"].replace("-", "")][field])
            for column, field in columns.items()
        }
        | {{"bkash": "transactionStatus", "nagad": "status"}.get(method, "trx_status"): "Success"}
        for order in orders
    ]


def statement(client: ShopClient, orders: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What Zendit would list of these orders."""
    numbers = tuple(order["order_number"] for order in orders)
    rows = client.control("GET", "zendit/ledger")["purchases"]
    return [
        {
            "transactionId": row["transaction_id"],
            "cost": str(row["cost"]),
            "costCurrencyDivisor": str(row["offer"]["cost"]["currencyDivisor"]),
            "costCurrency": row["offer"]["cost"]["currency"],
            "status": row["status"],
        }
        for row in rows
        if row["transaction_id"].startswith(numbers)
    ]


def written(rows: Sequence[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Books:
    def __init__(self, client: ShopClient, since: datetime) -> None:
        self.client = replace(client, operator=FINANCE, _tokens={})
        self.since = since

    def gaps(self, side: str, provider: str, rows: Sequence[dict[str, str]]) -> list[Any]:
        body = {
            "side": side,
            "provider": provider,
            "period_from": self.since.isoformat(),
            "period_to": (datetime.now(UTC) + timedelta(seconds=5)).isoformat(),
            "content": written(rows),
        }
        run = self.client.admin("POST", "/api/v1/admin/reconciliations", body, expect=201)["data"]
        found = self.client.admin("GET", f"/api/v1/admin/reconciliations/{run['id']}/gaps")["data"]
        total = sum(run["theirs"].values()) - sum(run["ours"].values())
        assert sum(gap["amount"] for gap in found["items"]) == pytest.approx(total)
        assert run["outside"] == 0
        return sorted(
            (gap["kind"], gap["amount"], gap["reference"].replace("-", ""))
            for gap in found["items"]
        )


def test_each_planted_gap_is_found_with_its_amount_and_nothing_else(client: ShopClient) -> None:
    since = datetime.now(UTC)
    orders = {
        method: [sold(client, method) for _ in range(n)]
        for method, n in (("bkash", 4), ("nagad", 2), ("paystation", 2))
    }
    books = Books(client, since)

    for method, sales in orders.items():
        assert books.gaps("payments", method, settlement(client, method, sales)) == []

    first, second, third, fourth = orders["bkash"]
    price = first["total_amount"]
    rows = settlement(client, "bkash", orders["bkash"])
    rows[1]["amount"] = f"{price - 10:.2f}"  # less than was paid
    del rows[2]  # never settled
    rows.append(dict(rows[-1]))  # the fourth, settled twice
    rows.append(rows[0] | {"merchantInvoiceNumber": "BDV-99999999-1", "trxID": "PLANTED1"})

    def bare(order: dict[str, Any]) -> str:
        return str(order["reference"]).replace("-", "")

    assert books.gaps("payments", "bkash", rows) == sorted(
        [
            ("amount_differs", -10, bare(second)),
            ("missing_there", -price, bare(third)),
            ("twice", price, bare(fourth)),
            ("missing_here", price, "BDV999999991"),
        ]
    )
    assert books.gaps("payments", "nagad", settlement(client, "nagad", orders["nagad"])) == []

    everything = [order for sales in orders.values() for order in sales]
    rows = statement(client, everything)
    assert len(rows) == len(everything)
    assert books.gaps("purchases", "zendit", rows) == []
    cost = int(rows[0]["cost"]) / int(rows[0]["costCurrencyDivisor"])
    dearer, lost = rows[0]["transactionId"], rows[1]["transactionId"]
    rows[0]["cost"] = str(int(rows[0]["cost"]) + 25)
    del rows[1]
    found = books.gaps("purchases", "zendit", rows)
    assert [(kind, reference) for kind, _, reference in found] == [
        ("amount_differs", dearer), ("missing_there", lost)
    ]  # fmt: skip
    assert [amount for _, amount, _ in found] == pytest.approx([0.25, -cost])

    stock = books.client.admin("GET", "/api/v1/admin/books/stock")["data"]
    assert [row for row in stock["rows"] if row["difference"]] == []
    sums = books.client.admin("GET", "/api/v1/admin/books")["data"]
    by_method = {row["method"]: row["paid"] for row in sums["rows"]}
    for method, sales in orders.items():
        assert by_method[method] >= sum(order["total_amount"] for order in sales)
