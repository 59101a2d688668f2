"""Zendit vouchers (contract page zendit).

Where the page is silent or says two things:

* A refused POST (section 7; "POST with a used id") may mean that the id exists, so we ask by id
  before we believe it. Found: that purchase is followed. Not found: `NOT_FOUND` (404) and
  `INVALID_REQUEST` (400) are Declined, unless the latter's text or fields speak of the id; every
  other refusal stays unknown.
* An unknown status is unknown (README "unclear answer"), never at work and never failed.
* `NOT_FOUND` with HTTP 404 alone means "id unknown" to `lookup`; other 404s come from the edge.
* `expiresAt` without a time counts to the end of that day in UTC; one we can't read is none.
* `offer.extra` may hold `field_map` (our input -> key of `requiredFields`) and, for offers of
  type RANGE, must hold `divisor` (`sendCurrencyDivisor`; never assumed to be 100).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import requests

from core.db import durable
from core.http import Answer, Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.wire import Unclear, plain_text, required_setting
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer

SLUG: Final = "zendit"
AT_WORK: Final = frozenset({"ACCEPTED", "PENDING", "AUTHORIZED", "IN_PROGRESS"})
DONE: Final = "DONE"
FAILED: Final = frozenset({"FAILED", "FAIL"})
#: Contract page zendit, section 7: refusals that surely bought nothing, with their HTTP status.
REFUSALS: Final[Mapping[str, int]] = {
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "INVALID_REQUEST": HTTPStatus.BAD_REQUEST,
}
_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,32}")
_ABOUT_THE_ID: Final = re.compile(r"transaction_?id|duplicate|already|unique", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ZenditPartner:
    """One API key, test or live, and the calls made with it."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    base_url: str
    api_key: str = field(repr=False)

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            base_url=required_setting(SLUG, "ZENDIT_BASE_URL").rstrip("/"),
            api_key=required_setting(SLUG, "ZENDIT_API_KEY"),
        )

    @durable
    def purchase(
        self, *, reference: str, offer: Offer, inputs: Mapping[str, str]
    ) -> IssuedCode | AtWork:
        """Contract page zendit, section 3. Sent once; a refusal is checked by id."""
        order = _order(reference, offer, inputs)
        answer = self._send("POST", "vouchers/purchases", order, repeatable=False)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return self._after_refusal(reference, answer)
        try:
            return _read(answer, reference)
        except Unclear as exc:
            raise OutcomeUnknown(SLUG, str(exc)) from exc

    @durable
    def lookup(self, *, reference: str) -> IssuedCode | AtWork | None:
        """GET by our own id, section 3; the receipt comes again however often we ask."""
        answer = self._send("GET", f"vouchers/purchases/{reference}", repeatable=True)
        refusal = plain_text((answer.json() or {}).get("errorCode"), 60)
        if answer.status == HTTPStatus.NOT_FOUND and refusal == "NOT_FOUND":
            return None
        try:
            return _read(answer, reference)
        except Unclear as exc:
            raise Unavailable(SLUG, str(exc), raw_code=refusal) from exc

    def balance(self) -> tuple[Decimal, str]:
        """Section 4. Whether it leaves reservations out is not documented."""
        said = self._send("GET", "balance", repeatable=True).json() or {}
        amount = _money(said.get("availableBalance"), said.get("currencyDivisor"))
        currency = plain_text(said.get("currency"), 3)
        if amount is None or not currency:
            raise Unavailable(SLUG, "unclear answer to the balance")
        return amount, currency

    def _after_refusal(self, reference: str, answer: Answer) -> IssuedCode | AtWork:
        refusal = _refusal(answer)
        try:
            found = self.lookup(reference=reference)
        except (Unavailable, Misconfigured) as exc:
            raise OutcomeUnknown(SLUG, refusal.message, raw_code=refusal.raw_code) from exc
        if found is None:
            raise refusal
        return found

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeatable: bool
    ) -> Answer:
        request = requests.Request(
            method,
            f"{self.base_url}/{path}",
            headers={"Authorization": f"Bearer {self.api_key}", "Accept": "application/json"},
            json=body,
        )
        return self.out.send(request, repeatable=repeatable)


def _order(reference: str, offer: Offer, inputs: Mapping[str, str]) -> dict[str, Any]:
    if not _REFERENCE.fullmatch(reference):
        raise Misconfigured(SLUG, "a reference is up to 32 letters and digits")
    order: dict[str, Any] = {"offerId": offer.offer_id, "transactionId": reference}
    names = offer.extra.get("field_map") or {}
    if inputs:
        order["fields"] = [{"key": names.get(k, k), "value": v} for k, v in inputs.items()]
    if offer.send_value is not None:
        order["value"] = {"type": "ZEND", "value": _minor_units(offer, offer.send_value)}
    return order


def _minor_units(offer: Offer, send_value: Decimal) -> int:
    divisor = offer.extra.get("divisor")
    if isinstance(divisor, bool) or not isinstance(divisor, int) or divisor < 1:
        raise Misconfigured(SLUG, f"offer {offer.offer_id}: extra.divisor is missing or bad")
    units = send_value * divisor
    if units != int(units):
        raise Misconfigured(SLUG, f"offer {offer.offer_id}: {send_value} is finer than 1/{divisor}")
    return int(units)


def _refusal(answer: Answer) -> ProviderError:
    """What a refused POST means if no purchase is found under its id."""
    said = answer.json() or {}
    code, message = plain_text(said.get("errorCode"), 60), plain_text(said.get("message"))
    fields = said.get("fields")
    named = ", ".join(map(plain_text, fields)) if isinstance(fields, dict) else ""
    words = " ".join(filter(None, (code or str(answer.status), message, named)))
    about_the_id = code == "INVALID_REQUEST" and _ABOUT_THE_ID.search(f"{message} {named}")
    definite = REFUSALS.get(code) == answer.status and not about_the_id
    kind = Declined if definite else OutcomeUnknown
    return kind(SLUG, words[:400], raw_code=code or str(answer.status))


def _read(answer: Answer, reference: str) -> IssuedCode | AtWork:
    """What a purchase object says.

    Raises:
        Unclear: not a purchase object, not ours, or with an unknown status.
        Declined: it ended without a voucher.
        Anomaly: it ended well and there is no voucher.
    """
    said = answer.json()
    if said is None or not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Unclear(f"unclear answer, HTTP {answer.status}")
    if said.get("transactionId") != reference:
        raise Unclear("an answer about another purchase")
    status = plain_text(said.get("status"), 60)
    if status in AT_WORK:
        return AtWork(status)
    if status in FAILED:
        error = _part(said, "error")
        code = plain_text(error.get("code"), 60)
        words = plain_text(error.get("description")) or plain_text(error.get("message"))
        raise Declined(SLUG, f"{code or status} {words}".strip(), raw_code=code or status)
    if status != DONE:
        raise Unclear(f"unknown status {status!r}")
    return _issued(said, reference)


def _issued(said: Mapping[str, Any], reference: str) -> IssuedCode:
    receipt = _part(said, "receipt")
    code, link = _goods(receipt.get("epin")), _goods(receipt.get("redemptionUrl"))
    if not link.startswith(("https://", "http://")):
        link = ""  # it will be a link in a mail: nothing but the web
    if not code and not link:
        raise Anomaly(SLUG, f"{reference} is done and has neither epin nor redemptionUrl")
    return IssuedCode(
        code=code,
        redemption_url=link,
        serial_number=plain_text(receipt.get("voucherId"), 100),
        expires_at=_moment(receipt.get("expiresAt")),
        partner_transaction_id=plain_text(
            _part(said, "confirmation").get("confirmationNumber"), 100
        ),
        cost=_money(said.get("cost"), said.get("costCurrencyDivisor")),
        cost_currency=plain_text(said.get("costCurrency"), 3),
    )


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _goods(value: object) -> str:
    """A code as it is: nothing cut, nothing replaced, a number as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def _money(units: object, divisor: object) -> Decimal | None:
    """Integer minor units over their own divisor; None if either is missing or something else."""
    if isinstance(units, bool) or isinstance(divisor, bool):
        return None
    if not isinstance(units, int) or not isinstance(divisor, int) or divisor < 1:
        return None
    return Decimal(units) / Decimal(divisor)


def _moment(value: object) -> datetime | None:
    text = plain_text(value, 40)
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
