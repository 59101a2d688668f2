"""Nagad's column of the matrix."""

from typing import Any, Final

from fulfillment.partners.tests.simulator import CREDENTIALS, Simulator
from payments.models import Payment
from payments.tests.matrix import GatewayMatrix, Never

API: Final = "remote-payment-gateway-1.0/api/dfs"


class TestNagadMatrix(GatewayMatrix):
    slug = "nagad"
    asks = "verify"
    faults = {
        "wrong_amount": {"operation": "verify", "fault": "wrong_amount", "amount": "1.00"},
        "wrong_merchant": {"operation": "verify", "fault": "wrong_merchant"},
        "wrong_reference": {"operation": "verify", "fault": "wrong_reference"},
    }
    never = {
        "wrong_currency": Never(
            "nagad.md 6", "no currency is among the members; complete signs `050` (2)"
        ),
        "authorised_then_confirmed": Never("nagad.md 6", "the table of `status`"),
        "authorised_then_refused": Never("nagad.md 6", "the table of `status`"),
        "expired_token": Never("nagad.md 1", "merchant values: keys, no token"),
    }

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.NAGAD_BASE_URL = f"{simulator.url}/nagad/{API}"
        settings.NAGAD_PAGE_HOST = "127.0.0.1"
        for name in ("NAGAD_MERCHANT_ID", "NAGAD_MERCHANT_PRIVATE_KEY", "NAGAD_GATEWAY_PUBLIC_KEY"):
            setattr(settings, name, CREDENTIALS[name])

    def press(self, payment: Payment, action: str = "pay") -> None:
        wish = {"payment_ref_id": payment.gateway_reference, "action": action}
        self.simulator.call("nagad/pay", **wish)

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        query = {
            "merchant": CREDENTIALS["NAGAD_MERCHANT_ID"],
            "order_id": payment.reference.replace("-", ""),
            "payment_ref_id": payment.gateway_reference,
            "status": "Success",
            "status_code": "00_0000_000",
        }
        return [{"path": path_of(payment.reference, "//"), "query": query}]

    def forged(self) -> list[dict[str, Any]]:
        query = {"order_id": "BDV999999991", "payment_ref_id": "Tk9U", "status": "Success"}
        ends = ("", "/", "//")
        return [
            *({"path": path_of("BDV-99999999-1", end), "query": query} for end in ends),
            {"query": query},
            {"path": "/api/v1/payments/nagad/callback/", "query": query},
            {"query": {}},
            {"query": query, "body": b"status=Success", "content_type": "text/plain"},
        ]


def path_of(reference: str, end: str) -> str:
    return f"/api/v1/payments/nagad/callback/{reference}{end}"
