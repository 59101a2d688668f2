"""Zendit at the wire, by script: what the purchases of an offer meet is written down beforehand."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import requests
import responses

BASE: Final = "https://api.zendit.test/v1"
PURCHASES: Final = f"{BASE}/vouchers/purchases"
Reply = tuple[int, dict[str, str], str]


def code_of(reference: str) -> str:
    """The code that is sold under a reference."""
    return f"ZEN-{reference}"


class ScriptedZendit:
    """Sells whatever it is asked for, but for what `meets` says.

    `done`, `accepted` (at work until `deliver` or `refuse`), `no_stock`, `busy` (429), `lost`
    (bought, but no answer), `never_arrived` (neither), `key_refused`, `empty` (done without
    goods), `twin` (the code of `twin_code`, which somebody else has), `interrupted` (done, and
    `meanwhile` happens before the answer).
    """

    def __init__(self, wire: responses.RequestsMock) -> None:
        self.scripts: dict[str, list[str]] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.twin_code = ""
        self.deaf = False
        self.meanwhile: Callable[[str], None] = lambda _reference: None
        self.delivers_when_asked = False
        wire.add_callback(responses.POST, PURCHASES, callback=self._sell)
        wire.add_callback(responses.GET, re.compile(f"{PURCHASES}/.+"), callback=self._tell)

    def meets(self, offer: str, *steps: str) -> None:
        """One step a purchase; the last one repeats."""
        self.scripts[offer] = list(steps)

    @property
    def sold(self) -> list[str]:
        """References of the purchases that were asked for, in order."""
        return [reference for what, reference in self.asked if what == "buy"]

    @property
    def looked_up(self) -> list[str]:
        return [reference for what, reference in self.asked if what == "look"]

    def deliver(self, reference: str, code: str = "") -> None:
        self.known[reference] = _done(reference, {"epin": code or code_of(reference)})

    def refuse(self, reference: str) -> None:
        self.known[reference] = _failed(reference)

    def forget(self, reference: str) -> None:
        del self.known[reference]

    def _step(self, offer: str, reference: str) -> str:
        steps = self.scripts.get(offer, ["done"])
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if step == "interrupted":
            self.meanwhile(reference)
        return step

    def _sell(self, request: requests.PreparedRequest) -> Reply | Exception:
        body = json.loads(request.body or "{}")
        reference, offer = body["transactionId"], body["offerId"]
        self.asked.append(("buy", reference))
        self.bodies.append(body)
        step = self._step(offer, reference)
        match step:
            case "never_arrived":
                return requests.ReadTimeout("no answer")
            case "busy":
                return 429, {}, "{}"
            case "key_refused":
                return 401, {}, "{}"
            case "accepted":
                self.known[reference] = {"status": "ACCEPTED", "transactionId": reference}
            case "no_stock":
                self.known[reference] = _failed(reference)
            case "empty":
                self.known[reference] = _done(reference, {})
            case "twin":
                self.deliver(reference, self.twin_code)
            case "done" | "lost" | "interrupted":
                self.deliver(reference)
        if step == "lost":
            return requests.ReadTimeout("no answer")
        return _reply(200, self.known[reference])

    def _tell(self, request: requests.PreparedRequest) -> Reply:
        reference = str(request.url).rsplit("/", 1)[1]
        self.asked.append(("look", reference))
        if self.deaf:
            return _reply(503, {})
        if self.delivers_when_asked and reference in self.known:
            self.deliver(reference)
        if reference not in self.known:
            return _reply(404, {"errorCode": "NOT_FOUND", "message": "No."})
        return _reply(200, self.known[reference])


def _done(reference: str, receipt: dict[str, str]) -> dict[str, Any]:
    confirmation = {"confirmationNumber": f"C-{reference}"}
    return {
        "status": "DONE",
        "transactionId": reference,
        "receipt": receipt,
        "confirmation": confirmation,
    }


def _failed(reference: str) -> dict[str, Any]:
    error = {"code": "NO_STOCK", "description": "The offer is sold out"}
    return {"status": "FAILED", "transactionId": reference, "error": error}


def _reply(status: int, body: dict[str, Any]) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(body)
