"""bKash's column of the matrix."""

from typing import Any, Final

from fulfillment.partners.tests.simulator import CREDENTIALS, Simulator
from payments.models import Payment
from payments.tests.matrix import GatewayMatrix, Never

SERVICE: Final = "bkash"
BASE: Final = "v1.2.0-beta"


class TestBkashMatrix(GatewayMatrix):
    slug = SERVICE
    asks = "query"
    moves = "execute"
    faults = {
        "wrong_amount": {"operation": "execute", "fault": "wrong_amount", "amount": "1.00"},
        "wrong_currency": {"operation": "execute", "fault": "wrong_currency"},
        "wrong_reference": {"operation": "query", "fault": "wrong_invoice"},
    }
    never = {
        "wrong_merchant": Never(
            "bkash.md 6", "no merchant is among the query fields; a paymentID is our own app's (1)"
        ),
        "authorised_then_confirmed": Never("bkash.md 11", "only when that intent is used"),
        "authorised_then_refused": Never("bkash.md 11", "only when that intent is used"),
    }
    #: Money moves by our execute alone, and a closed payment is never executed.
    ends = {"late": ("CANCELLED", "CANCELLED")}

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.BKASH_BASE_URL = f"{simulator.url}/{SERVICE}/{BASE}"
        for name in ("APP_KEY", "APP_SECRET", "USERNAME", "PASSWORD"):
            setattr(settings, f"BKASH_{name}", CREDENTIALS[f"BKASH_{name}"])

    def press(self, payment: Payment, action: str = "pay") -> None:
        self.simulator.call(f"{SERVICE}/pay", payment_id=payment.gateway_reference, action=action)

    def notices(self, payment: Payment) -> list[dict[str, Any]]:
        return [notice_of(payment.gateway_reference)]

    def forged(self) -> list[dict[str, Any]]:
        return [notice_of("TR0011NOTYOURS")]

    def expire_token(self) -> None:
        self.simulator.call(f"{SERVICE}/expire_tokens")


def notice_of(payment_id: str) -> dict[str, Any]:
    return {"query": {"paymentID": payment_id, "status": "success"}}
