"""PayStation's column of the matrix."""

import json
from typing import Any

from fulfillment.partners.tests.simulator import CREDENTIALS, Simulator
from payments.models import Payment
from payments.tests.matrix import GatewayMatrix, Never


class TestPayStationMatrix(GatewayMatrix):
    slug = "paystation"
    faults = {
        "wrong_amount": {"operation": "status", "fault": "wrong_amount", "amount": "1.00"},
        "wrong_merchant": {"operation": "status", "fault": "wrong_merchant"},
        "wrong_reference": {"operation": "status", "fault": "wrong_invoice"},
    }
    never = {
        "wrong_currency": Never(
            "paystation.md 4", "no currency is among the fields of `data`; settlement is in BDT (1)"
        ),
        "authorised_then_confirmed": Never("paystation.md 4", "the table of `trx_status`"),
        "authorised_then_refused": Never("paystation.md 4", "the table of `trx_status`"),
        "expired_token": Never("paystation.md 1", "current generation: credentials in the body"),
    }

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.PAYSTATION_BASE_URL = f"{simulator.url}/paystation"
        settings.PAYSTATION_PAGE_HOST = "127.0.0.1"
        settings.PAYSTATION_MERCHANT_ID = CREDENTIALS["PAYSTATION_MERCHANT_ID"]
        settings.PAYSTATION_PASSWORD = CREDENTIALS["PAYSTATION_PASSWORD"]

    def press(self, payment: Payment, action: str = "pay") -> None:
        wish = {"invoice_number": payment.reference, "action": action}
        self.simulator.call("paystation/pay", **wish)

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        return notices_of(payment.reference)

    def forged(self) -> list[dict[str, Any]]:
        return notices_of("BDV-99999999-1")


def notices_of(invoice: str) -> list[dict[str, Any]]:
    ipn = {"invoice_number": invoice, "trx_status": "Success", "trx_id": "A1", "trx_amount": 500}
    return [
        {"query": {"invoice_number": invoice, "status": "Successful", "trx_id": "A1"}},
        {"body": json.dumps(ipn).encode(), "content_type": "application/json"},
    ]
