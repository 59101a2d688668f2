"""PayStation at the wire, by script: what it says of each invoice is written down beforehand."""

import json
from typing import Any, Final
from urllib.parse import parse_qs

import requests
import responses

BASE: Final = "https://api.paystation.test"
PAGE: Final = "https://www.paystation.com.bd/pay"
Reply = tuple[int, dict[str, str], str]


class ScriptedPayStation:
    """Opens a page for whoever asks; nobody has paid until `pays` or `refuses` says so."""

    def __init__(self, wire: responses.RequestsMock) -> None:
        self.said: dict[str, dict[str, Any]] = {}
        self.opened: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.opening = "open"
        """Or `down` (no answer comes), `unreachable`, `refused`, `credentials`."""
        self.deaf = False
        wire.add_callback(responses.POST, f"{BASE}/initiate-payment", callback=self._open)
        wire.add_callback(responses.POST, f"{BASE}/transaction-status", callback=self._tell)

    def pays(self, reference: str, amount: object = "500", trx: str = "", **more: object) -> None:
        trx_id = trx or f"TRX-{reference}"
        status = {"trx_status": "Success", "trx_id": trx_id, "payment_amount": str(amount)}
        self.said[reference] = {"invoice_number": reference, **status, **more}

    def refuses(self, reference: str, word: str = "Failed") -> None:
        self.said[reference] = {"invoice_number": reference, "trx_status": word}

    def _open(self, request: requests.PreparedRequest) -> Reply | Exception:
        form = {name: each[0] for name, each in parse_qs(str(request.body)).items()}
        self.opened.append(form)
        match self.opening:
            case "down":
                return requests.ReadTimeout("no answer")
            case "unreachable":
                return requests.ConnectTimeout("no route")
            case "refused":
                return _reply(status_code="1008", status="failed", message="No.")
            case "credentials":
                return _reply(status_code="1001", status="failed", message="Invalid Credential.")
        number = form["invoice_number"]
        return _reply(
            status_code="200", status="success", invoice_number=number,
            payment_url=f"{PAGE}/{number}",
        )  # fmt: skip

    def _tell(self, request: requests.PreparedRequest) -> Reply:
        (reference,) = parse_qs(str(request.body))["invoice_number"]
        self.asked.append(reference)
        if self.deaf:
            return 503, {}, "maintenance"
        data = self.said.get(reference, {"invoice_number": reference, "trx_status": "Processing"})
        return _reply(status_code="200", status="success", data=data)


def _reply(**body: Any) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(body)
