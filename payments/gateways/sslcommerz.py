"""SSLCommerz's hosted checkout, API v4 (contract page sslcommerz).

Where the page is silent or says two things:

* Callbacks (sections 3 and 4): a notice names a payment only under a right signature, and only
  by a field which that covers; anything else is kept and names nothing.
* Verified by our `tran_id`: the query by transaction finds the try that was paid, the
  validation of its `val_id` decides (section 5). Both share the time of one answer.
* `val_id` is the movement's id, never used twice (check 6); `bank_tran_id`, which a refund needs,
  is kept in the evidence.
* Several tries under one `tran_id` (section 6): the earliest that was paid counts and goes on
  counting, the others are named for a person to refund.
* FAILED only when every try has failed and the session says so too: while it is PENDING the
  customer may try another card. Cancelled, unattempted and expired tries leave it open until
  our own deadline (README).
* A `risk_level` other than `0`, also none, is held.
* Customer's address: a voucher needs none; the fields are required, so "N/A" and Dhaka are sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import requests

from core.db import durable
from core.http import Outbound
from core.money import CURRENCY, taka
from core.providers import Declined, Misconfigured, OutcomeUnknown
from core.wire import exact_amount, plain_text, required_setting
from payments.gateways.base import (
    Claim,
    Known,
    Outcome,
    RefundAnswer,
    RefundRequest,
    RefundState,
    Session,
    SessionRequest,
    Verdict,
)
from payments.gateways.pages import is_safe_page
from payments.gateways.sslcommerz_wire import (
    INVALID_REQUEST,
    SLUG,
    Asking,
    Reply,
    Store,
    posted_fields,
    signed_fields,
)

OPEN: Final = "/gwprocess/v4/api.php"
VALIDATE: Final = "/validator/api/validationserverAPI.php"
QUERY: Final = "/validator/api/merchantTransIDvalidationAPI.php"
PAID: Final = frozenset({"VALID", "VALIDATED"})
FAILED: Final = "FAILED"
#: Not paid, and the gateway can still say paid (README, "cancelled, unattempted, expired").
UNDECIDED: Final = frozenset({"PENDING", "CANCELLED", "UNATTEMPTED", "EXPIRED"})
SAFE: Final = "0"
#: What an operator may see of an answer: nothing of the payer, and the same however often asked.
EVIDENCE: Final = re.compile(
    "(val|bank_tran)_id|tran_date|(store_)?amount|currency(_type|_amount)?|risk_(level|title)"
    "|card_type"
)
REFUND_EVIDENCE: Final = re.compile("(bank_tran|trans|refund_ref)_id|(initiated|refunded)_on")
#: Section 7, answers to the query; all else is UNKNOWN.
REFUND_STATES: Final[Mapping[str, RefundState]] = {
    "refunded": RefundState.DONE,
    "processing": RefundState.PENDING,
    "cancelled": RefundState.REFUSED,
}
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class SslCommerzGateway:
    """Open session, validation, queries and refunds of one store."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    store: Store

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            store=Store(
                base_url=required_setting(SLUG, "SSLCOMMERZ_BASE_URL").rstrip("/"),
                store_id=required_setting(SLUG, "SSLCOMMERZ_STORE_ID"),
                password=required_setting(SLUG, "SSLCOMMERZ_STORE_PASSWORD"),
            ),
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Section 2. Never sent twice under one `tran_id`."""
        form = _order_form(request) | self.store.credentials
        answer = self.out.send(
            requests.Request("POST", self.store.url(OPEN), data=form), repeatable=False
        )
        reply = Reply.of(answer)
        status, reason = reply.text("status"), reply.text("failedreason")
        if answer.status == HTTPStatus.OK and status == "SUCCESS":
            return _session(reply)
        if status != FAILED:
            raise OutcomeUnknown(SLUG, "unclear answer", raw_code=status)
        if reason.startswith("Store Credential"):
            raise Misconfigured(SLUG, "credentials refused", raw_code=status)
        raise Declined(SLUG, reason or "refused", raw_code=status)

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """The signed `tran_id` of a browser's post or an IPN, sections 3 and 4."""
        del content_type  # a form whatever it is called
        fields = signed_fields(posted_fields(query, body), self.store.password)
        named, movement = fields.get("tran_id", ""), fields.get("val_id", "")
        if not _ID.fullmatch(named):
            return Claim()
        known = _ID.fullmatch(movement)
        return Claim(reference=named, gateway_transaction_id=movement if known else "")

    @durable
    def verify(self, known: Known) -> Verdict:
        """Sections 5 and 6: found by our reference, decided by the validation."""
        asking = Asking(self.out, self.store)
        reply = asking.ask(QUERY, {"tran_id": known.reference})
        if not reply.done:
            return _unknown("the query", reply)
        tries = reply.body.get("element")
        if not isinstance(tries, list) or not all(isinstance(each, dict) for each in tries):
            return Verdict(Outcome.UNKNOWN, reason="the query answered without tries")
        ours = [each for each in tries if each.get("tran_id") == known.reference]
        if tries and not ours:
            return Verdict(Outcome.FOREIGN, reason="an answer about another payment")
        paid = _paid(ours, known.gateway_transaction_id)
        if paid:
            return self._validated(asking, paid, known)
        return self._unpaid(asking, ours, known)

    def _validated(
        self, asking: Asking, paid: Sequence[Mapping[str, Any]], known: Known
    ) -> Verdict:
        """Section 5. The first of the paid tries is the one that counts."""
        val_id = plain_text(paid[0].get("val_id"), 100)
        if not _ID.fullmatch(val_id):
            return Verdict(Outcome.UNKNOWN, reason="a paid try without val_id")
        reply = asking.ask(VALIDATE, {"val_id": val_id})
        if not reply.done or reply.text("status") not in PAID:
            return _unknown("the validation", reply)
        if (reply.body.get("tran_id"), reply.body.get("val_id")) != (known.reference, val_id):
            return Verdict(Outcome.FOREIGN, reason="a validation of another payment")
        amount, currency = exact_amount(reply.body.get("amount")), reply.text("currency")
        evidence = _evidence(reply.body, EVIDENCE)
        if amount is None or not currency:
            reason = "paid, without amount or currency"
            return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
        others = [_evidence(each, EVIDENCE) for each in paid[1:]]
        return Verdict(
            Outcome.PAID,
            amount=amount,
            currency=currency,
            gateway_transaction_id=val_id,
            reason="validated by SSLCommerz",
            risky=reply.text("risk_level") != SAFE,
            also_paid=tuple(each.get("val_id", "") for each in others),
            evidence=evidence | ({"also_paid": others} if others else {}),
        )

    def _unpaid(self, asking: Asking, ours: Sequence[Mapping[str, Any]], known: Known) -> Verdict:
        words = {plain_text(each.get("status")) for each in ours}
        if strange := words - UNDECIDED - {FAILED}:
            return Verdict(Outcome.UNKNOWN, reason=f"tries are {sorted(strange)}")
        if words != {FAILED} or not known.gateway_reference:
            return Verdict(Outcome.PENDING, reason="no try was paid yet")
        reply = asking.ask(QUERY, {"sessionkey": known.gateway_reference})
        if not reply.done or reply.body.get("tran_id") != known.reference:
            return _unknown("the query by session", reply)
        match reply.text("status"):
            case "FAILED":
                error = plain_text(ours[-1].get("error"), 100)
                return Verdict(Outcome.FAILED, reason=f"every try failed: {error}")
            case "PENDING":
                return Verdict(Outcome.PENDING, reason="a try failed, another one is possible")
        return _unknown("the query by session", reply)

    @durable
    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Section 7. `success` and `processing` both mean "request taken", never "money back".

        The same `refund_trans_id` again makes no second refund: it answers `processing`. A
        `failed` to that may mean "done already", so it decides nothing.
        """
        bank = plain_text(request.evidence.get("bank_tran_id"), 100)
        if not bank:
            raise Declined(SLUG, "no bank_tran_id is known: refund in the merchant panel")
        wish = {
            "bank_tran_id": bank,
            "refund_trans_id": request.reference,
            "refund_amount": str(taka(request.amount)),
            "refund_remarks": request.reason[:255] or "refund",
        }
        reply = Asking(self.out, self.store).ask(QUERY, wish, repeatable=False)
        if reply.text("APIConnect") == INVALID_REQUEST:
            raise Misconfigured(SLUG, _why(reply), raw_code=INVALID_REQUEST)
        if not reply.done or reply.body.get("bank_tran_id") != bank:
            raise OutcomeUnknown(SLUG, "unclear answer to refund", raw_code=reply.text("status"))
        match reply.text("status"):
            case "success" | "processing":
                return _refund_answer(RefundState.PENDING, reply)
            case "failed" if not request.sent_before:
                raise Declined(SLUG, _why(reply), raw_code="failed")
        raise OutcomeUnknown(SLUG, "unclear answer to refund", raw_code=reply.text("status"))

    @durable
    def query_refund(self, request: RefundRequest) -> RefundAnswer:
        """Section 7. Only SSLCommerz's own id can be asked for ("Behaviour under fault").

        Without it the start was never answered, and the way on is to start again under the
        same `refund_trans_id`: NOT_FOUND.
        """
        if not request.gateway_refund_id:
            reason = "the request was not answered: it is sent again under the same number"
            return RefundAnswer(RefundState.NOT_FOUND, reason=reason)
        wish = {"refund_ref_id": request.gateway_refund_id}
        reply = Asking(self.out, self.store).ask(QUERY, wish)
        ours = reply.body.get("refund_ref_id") == request.gateway_refund_id
        if not reply.done or not ours:
            return RefundAnswer(RefundState.UNKNOWN, reason=f"refund query answered {_why(reply)}")
        state = REFUND_STATES.get(reply.text("status"), RefundState.UNKNOWN)
        return _refund_answer(state, reply)


def _order_form(request: SessionRequest) -> dict[str, str]:
    form = {
        "total_amount": str(taka(request.amount)),
        "currency": CURRENCY,
        "tran_id": request.reference,
        "product_category": "voucher",
        "success_url": request.callback_url,
        "fail_url": request.callback_url,
        "cancel_url": request.callback_url,
        "ipn_url": request.notice_url or request.callback_url,
        "cus_name": request.customer_name[:50] or "Customer",
        "cus_email": request.customer_email,
        "cus_add1": "N/A",
        "cus_city": "Dhaka",
        "cus_postcode": "1000",
        "cus_country": "Bangladesh",
        "cus_phone": request.customer_msisdn.removeprefix("88"),
        "shipping_method": "NO",
        "num_of_item": "1",
        "product_name": request.description[:255] or "Vouchers",
        "product_profile": "non-physical-goods",
    }
    return {name: value for name, value in form.items() if value}


def _session(reply: Reply) -> Session:
    key, page = reply.body.get("sessionkey"), reply.body.get("GatewayPageURL")
    if not (isinstance(key, str) and _ID.fullmatch(key) and isinstance(page, str) and page):
        raise OutcomeUnknown(SLUG, "an answer that opens no page")
    if not is_safe_page(page):
        raise Misconfigured(SLUG, "GatewayPageURL is not an https address")
    return Session(redirect_url=page, gateway_reference=key)


def _paid(tries: Sequence[Mapping[str, Any]], counted: str) -> list[Mapping[str, Any]]:
    """The paid tries: the one that counts already, else the earliest, before all others."""
    paid = [each for each in tries if plain_text(each.get("status")) in PAID]
    return sorted(
        paid,
        key=lambda each: (each.get("val_id") != counted, plain_text(each.get("tran_date"))),
    )


def _evidence(said: Mapping[str, Any], shown: re.Pattern[str]) -> dict[str, str]:
    return {name: plain_text(said[name]) for name in said if shown.fullmatch(name)}


def _unknown(what: str, reply: Reply) -> Verdict:
    return Verdict(Outcome.UNKNOWN, reason=f"{what} answered {_why(reply)}")


def _why(reply: Reply) -> str:
    words = (reply.text("APIConnect"), reply.text("status"), reply.text("errorReason", 100))
    return " ".join(filter(None, words)) or f"HTTP {reply.status} without words"


def _refund_answer(state: RefundState, reply: Reply) -> RefundAnswer:
    return RefundAnswer(
        state,
        gateway_refund_id=reply.text("refund_ref_id", 120),
        reason=f"status {reply.text('status')!r}",
        evidence=_evidence(reply.body, REFUND_EVIDENCE),
    )
