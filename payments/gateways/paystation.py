"""PayStation's hosted checkout, current generation (contract page paystation).

Where the page is silent or says two things:

* Amount asked (section 2): whole taka are sent as `"1500"`, all others with two decimals.
* Amount verified (section 4) is the order's total: `request_amount` if the answer has it. If it
  has only what the customer paid and the customer bears the fee, any sum from the total upwards
  counts as the total; else it is reported as it stands.
* `pay_with_charge` (section 2): `0` is read as "the customer bears the fee" and `1` as "the
  merchant does", as two of the three public clients read it.
* `refund`, `refunded` (section 6) are REFUNDED: the money came and went by somebody's hand in the
  panel, which is neither "paid" nor "never paid"; an alert calls a person.
* 2001 from a status query (section 5: token, merchant or transaction) is UNKNOWN.
* 1008 is Declined: that number never opens a page we could send somebody to.
* A customer without a phone number is sent without one; PayStation then refuses (`cust_phone`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qsl

import requests

from core.db import durable
from core.http import Answer, Outbound
from core.money import taka
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.wire import exact_amount, plain_text, required_setting
from payments.gateways.base import Claim, Known, Outcome, Session, SessionRequest, Verdict
from payments.gateways.pages import is_page_on

FOUND: Final = "200"
BAD_CREDENTIALS: Final = "1001"
NOT_FOUND: Final = "1006"
BAD_MERCHANT: Final = "2001"
FEE_ON_CUSTOMER: Final = "0"
FEE_ON_MERCHANT: Final = "1"

#: Contract page paystation, section 4; compared in lower case, all else is UNKNOWN.
OUTCOMES: Final[Mapping[str, Outcome]] = {
    "success": Outcome.PAID,
    "successful": Outcome.PAID,
    "processing": Outcome.PENDING,
    "pending": Outcome.PENDING,
    "initiated": Outcome.PENDING,
    "failed": Outcome.FAILED,
    "cancelled": Outcome.CANCELLED,
    "canceled": Outcome.CANCELLED,
    "expired": Outcome.CANCELLED,
    "refund": Outcome.REFUNDED,
    "refunded": Outcome.REFUNDED,
}
#: What an operator may see of an answer: nothing of the payer.
EVIDENCE: Final = re.compile(
    "trx_(status|id|amount|date)|payment_(method|amount)|request_amount|order_date_time"
)

_REFERENCE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_NOTICE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class PayStationGateway:
    """The merchant's credentials and the calls made with them."""

    slug: ClassVar[str] = "paystation"

    out: Outbound = field(repr=False)
    base_url: str
    merchant_id: str
    password: str = field(repr=False)
    page_host: str
    pay_with_charge: str

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        charge = required_setting(PayStationGateway.slug, "PAYSTATION_PAY_WITH_CHARGE")
        if charge not in (FEE_ON_CUSTOMER, FEE_ON_MERCHANT):
            raise Misconfigured(cls.slug, "PAYSTATION_PAY_WITH_CHARGE must be 0 or 1")
        return cls(
            out=Outbound(cls.slug, answer_seconds=answer_seconds),
            base_url=required_setting(PayStationGateway.slug, "PAYSTATION_BASE_URL").rstrip("/"),
            merchant_id=required_setting(PayStationGateway.slug, "PAYSTATION_MERCHANT_ID"),
            password=required_setting(PayStationGateway.slug, "PAYSTATION_PASSWORD"),
            page_host=required_setting(PayStationGateway.slug, "PAYSTATION_PAGE_HOST").lower(),
            pay_with_charge=charge,
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Contract page paystation, section 2. Never sent twice under one invoice number."""
        answer = self.out.send(
            requests.Request(
                "POST", f"{self.base_url}/initiate-payment", data=self._order_form(request)
            ),
            repeatable=False,
        )
        said = _Envelope.of(answer)
        if said.code == FOUND and answer.status == HTTPStatus.OK:
            return self._session(said, request.reference)
        raise self._not_opened(said)

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """The invoice number of a browser return (GET or POST) or an IPN (JSON), section 3."""
        named = query.get("invoice_number") or _fields(body, content_type).get("invoice_number")
        if isinstance(named, str) and _REFERENCE.fullmatch(named):
            return Claim(reference=named)
        return Claim()

    @durable
    def verify(self, known: Known) -> Verdict:
        """Contract page paystation, section 4: only `data.trx_status` tells."""
        answer = self.out.send(
            requests.Request(
                "POST",
                f"{self.base_url}/transaction-status",
                headers={"merchantId": self.merchant_id},
                data={"invoice_number": known.reference},
            ),
            repeatable=True,
        )
        said = _Envelope.of(answer)
        if said.code == BAD_CREDENTIALS:
            raise Misconfigured(self.slug, "credentials refused", raw_code=said.code)
        if said.code == NOT_FOUND:
            return Verdict(Outcome.PENDING, reason="PayStation does not know the invoice yet")
        if said.code != FOUND or answer.status != HTTPStatus.OK:
            if not said.readable:
                raise Unavailable(self.slug, "unreadable answer", raw_code=str(answer.status))
            return Verdict(Outcome.UNKNOWN, reason=f"status query answered {said.summary}")
        return self._judge(said.body.get("data"), known)

    def _order_form(self, request: SessionRequest) -> dict[str, str]:
        form = {
            "merchantId": self.merchant_id,
            "password": self.password,
            "invoice_number": request.reference,
            "reference": request.reference,
            "currency": "BDT",
            "payment_amount": _asked(request.amount),
            "pay_with_charge": self.pay_with_charge,
            "cust_name": request.customer_name,
            "cust_phone": request.customer_msisdn.removeprefix("88"),
            "cust_email": request.customer_email,
            "callback_url": request.callback_url,
            "checkout_items": request.description,
        }
        return {name: value for name, value in form.items() if value}  # null is refused, section 2

    def _session(self, said: "_Envelope", reference: str) -> Session:
        echoed, url = said.body.get("invoice_number"), said.body.get("payment_url")
        if echoed not in (None, reference) or not isinstance(url, str):
            raise OutcomeUnknown(self.slug, "an answer that opens no page for our invoice")
        if not is_page_on(url, self.page_host):
            raise Misconfigured(self.slug, "payment_url is not on PAYSTATION_PAGE_HOST")
        return Session(redirect_url=url, gateway_reference=reference)

    def _not_opened(self, said: "_Envelope") -> Declined | Misconfigured | OutcomeUnknown:
        if said.code in (BAD_CREDENTIALS, BAD_MERCHANT):
            return Misconfigured(self.slug, "credentials refused", raw_code=said.code)
        if said.refuses:
            return Declined(self.slug, said.summary, raw_code=said.code)
        return OutcomeUnknown(self.slug, "unclear answer", raw_code=said.code)

    def _judge(self, data: object, known: Known) -> Verdict:
        if not isinstance(data, dict) or not data.get("invoice_number"):
            return Verdict(Outcome.UNKNOWN, reason="an answer without an invoice number")
        if data["invoice_number"] != known.reference:
            return Verdict(Outcome.FOREIGN, reason="an answer about another invoice")
        status = plain_text(data.get("trx_status"))
        outcome = OUTCOMES.get(status.lower(), Outcome.UNKNOWN)
        evidence = {name: plain_text(data[name]) for name in data if EVIDENCE.fullmatch(name)}
        reason = f"trx_status {status!r}"
        if outcome is not Outcome.PAID:
            return Verdict(outcome, reason=reason, evidence=evidence)
        amount, transaction = self._amount(data, known.amount), plain_text(data.get("trx_id"), 100)
        if amount is None or not transaction:
            reason = "success without amount or trx_id"
            return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
        return Verdict(
            Outcome.PAID,
            amount=amount,
            gateway_transaction_id=transaction,
            reason=reason,
            evidence=evidence,
        )

    def _amount(self, data: Mapping[str, Any], total: Decimal) -> Decimal | None:
        if data.get("request_amount") is not None:
            return exact_amount(data["request_amount"])
        both = data.get("payment_amount"), data.get("trx_amount")
        paid = next((exact_amount(value) for value in both if value is not None), None)
        if paid is not None and paid > total and self.pay_with_charge == FEE_ON_CUSTOMER:
            return total
        return paid


@dataclass(frozen=True, slots=True)
class _Envelope:
    """`{status_code, status, message, ...}`; anything else has no code and refuses nothing."""

    body: Mapping[str, Any] = field(repr=False)
    readable: bool

    @classmethod
    def of(cls, answer: Answer) -> Self:
        body = answer.json()
        return cls(body or {}, readable=body is not None)

    @property
    def code(self) -> str:
        return plain_text(self.body.get("status_code"), 40)  # a number in some answers, section 1

    @property
    def summary(self) -> str:
        return f"{self.code} {plain_text(self.body.get('message'))}".strip()

    @property
    def refuses(self) -> bool:
        """A code that is neither "done" nor a server's own trouble, and no word of success."""
        status = plain_text(self.body.get("status")).lower()
        own_trouble = len(self.code) == len("500") and self.code.startswith("5")
        return bool(self.code) and self.code != FOUND and not own_trouble and status != "success"


def _asked(amount: Decimal) -> str:
    return str(int(amount)) if amount == int(amount) else str(taka(amount))


def _fields(body: bytes, content_type: str) -> Mapping[str, object]:
    """The fields of a notice, JSON or form, or none if it is neither."""
    if len(body) > _MAX_NOTICE:
        return {}
    try:
        if "json" in content_type.lower() or body.lstrip().startswith(b"{"):
            parsed = json.loads(body)
            return parsed if isinstance(parsed, dict) else {}
        return dict(parse_qsl(body.decode(), max_num_fields=100))
    except (ValueError, RecursionError):
        return {}
