"""bKash tokenized checkout 1.2.0-beta, payment without agreement (contract page bkash).

Where the page is silent or says two things:

* Execute (section 5, README "execute"): ready only while the query says `Initiated` and
  `Complete` for exactly our sum, and never once execute was sent. A documented refusal counts in
  both error shapes, also with HTTP 4xx; everything else is asked about by query, 2003 too.
* `Authorized` is UNKNOWN, since we never ask for that intent; so is any other status.
* A payer who comes back with `failure` or `cancel` (section 4) has ended the payment if the query
  still says `Initiated` and no execute was sent: none is sent afterwards, so nothing can be taken.
* A payment without a paymentID has FAILED: its page was never shown, and only our own execute
  moves money.
* Refund (section 7): the status call tells of the newest refund only. It is ours if its id is
  none we knew before and its sum is ours; else ours has not arrived (yet).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import requests

from core.db import durable
from core.http import Outbound
from core.money import CURRENCY, taka
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
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
from payments.gateways.bkash_tokens import (
    OUR_FAULT,
    SLUG,
    STALE,
    Account,
    Reply,
    Tokens,
)
from payments.gateways.pages import is_safe_page

#: Contract page bkash, section 8, the table of classes.
REFUSED: Final = frozenset(map(str, [*range(2006, 2020), 2023, 2029, *range(2057, 2061), 2069]))
ASK: Final = frozenset({"2003", "2056", "2062", "2068", "2116", "2117", "2119"})
#: By the table of codes these refuse the new payment we describe.
REFUSED_AT_CREATE: Final = REFUSED | {"2025", "2031", "2032", "2047", "2048"}
#: By the table of codes these refuse the refund we describe.
REFUND_REFUSED: Final = frozenset(
    {"2002", "2026", "2033", "2034", "2035", "2042", "2080", "2081", "2082", "2127"}
    | {str(code) for code in range(2071, 2079)}
)
#: No refund of this payment is known to bKash.
NO_REFUND: Final = frozenset({"2033"})
#: What an operator may see of an answer: nothing of the payer.
EVIDENCE: Final = re.compile(
    "(transaction|verification)Status|trxID|amount|currency|payment(Create|Execute)Time"
    "|(original|refund)TrxID|charge|completedTime"
)
#: Section 4: how a payer left the page without confirming.
LEFT: Final = {"failure": Outcome.FAILED, "cancel": Outcome.CANCELLED}
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class BkashGateway:
    """Create, query, and one execute per payment."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    account: Account

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            account=Account(
                base_url=required_setting(SLUG, "BKASH_BASE_URL").rstrip("/"),
                app_key=required_setting(SLUG, "BKASH_APP_KEY"),
                app_secret=required_setting(SLUG, "BKASH_APP_SECRET"),
                username=required_setting(SLUG, "BKASH_USERNAME"),
                password=required_setting(SLUG, "BKASH_PASSWORD"),
            ),
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Section 3. The payer's number, if known, is already filled in on bKash's page."""
        letters = re.sub("[^A-Za-z0-9]", "", request.reference)
        order = {
            "mode": "0011",
            "payerReference": request.customer_msisdn.removeprefix("88") or letters,
            "callbackURL": request.callback_url,
            "amount": str(taka(request.amount)),
            "currency": CURRENCY,
            "intent": "sale",
            "merchantInvoiceNumber": request.reference,
        }
        reply = self._call("create", order, repeatable=False)
        if reply.done:
            return _session(reply.body, request.reference)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if reply.code in REFUSED_AT_CREATE:
            raise Declined(SLUG, reply.summary, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, "unclear answer", raw_code=reply.code)

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """The `paymentID` of the browser's GET (section 4); its `status` proves no payment."""
        del body, content_type  # bKash puts nothing there
        named = query.get("paymentID", "")
        if not _ID.fullmatch(named):
            return Claim()
        return Claim(gateway_reference=named, left=LEFT.get(query.get("status", "")))

    @durable
    def verify(self, known: Known) -> Verdict:
        """Section 6."""
        if not known.gateway_reference:
            return Verdict(Outcome.FAILED, reason="the payment page was never opened")
        payment = {"paymentID": known.gateway_reference}
        reply = self._call("payment/status", payment, repeatable=True)
        if reply.done:
            return _judge(reply.body, known)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if not reply.readable:
            raise Unavailable(SLUG, "unreadable answer", raw_code=str(reply.status))
        return Verdict(Outcome.UNKNOWN, reason=f"the query answered {reply.summary}")

    def ready_to_capture(self, verdict: Verdict) -> bool:
        """Whether `verify` saw a payer's confirmation of our sum and no execute was sent yet."""
        waiting = verdict.outcome is Outcome.PENDING
        return waiting and verdict.evidence.get("ready_to_capture") is True

    @durable
    def capture(self, known: Known) -> Verdict:
        """Execute, section 5: never repeated by us but after a refused token, which did nothing.

        Raises:
            OutcomeUnknown: no clear answer; only the query may follow.
            Unavailable, Misconfigured: surely not executed.
        """
        payment = {"paymentID": known.gateway_reference}
        reply = self._call("execute", payment, repeatable=False)
        if reply.done:
            return _judge(reply.body, replace(known, execute_sent=True))
        reason = f"execute answered {reply.summary}"
        if reply.code in ASK:
            return Verdict(Outcome.PENDING, reason=f"{reason}: the query decides")
        if reply.code in REFUSED:
            return Verdict(Outcome.FAILED, reason=reason)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reason, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, "unclear answer to execute", raw_code=reply.code)

    @durable
    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Section 7: full or in part, within 15 days."""
        body = _refund_ids(request) | {
            "amount": str(taka(request.amount)),
            "sku": request.reference,
            "reason": request.reason[:200] or "refund",
        }
        reply = self._call("payment/refund", body, repeatable=False)
        if reply.done:
            return _refunded(reply.body, request)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if reply.code in REFUND_REFUSED:
            raise Declined(SLUG, reply.summary, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, "unclear answer to refund", raw_code=reply.code)

    @durable
    def query_refund(self, request: RefundRequest) -> RefundAnswer:
        """Section 7, "Status": the same path with the two ids alone."""
        reply = self._call("payment/refund", _refund_ids(request), repeatable=True)
        if reply.done:
            return _refunded(reply.body, request)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if not reply.readable:
            raise Unavailable(SLUG, "unreadable answer", raw_code=str(reply.status))
        state = RefundState.NOT_FOUND if reply.code in NO_REFUND else RefundState.UNKNOWN
        return RefundAnswer(state, reason=f"refund status answered {reply.summary}")

    def _call(self, call: str, body: Mapping[str, str], *, repeatable: bool) -> Reply:
        tokens = Tokens(self.out, self.account)
        token = tokens.current()
        try:
            reply = self._send(call, body, token, repeatable=repeatable)
        except Misconfigured as exc:
            if exc.raw_code != str(int(HTTPStatus.UNAUTHORIZED)):
                raise
        else:
            if reply.code != STALE:
                return reply
        # A refused token did nothing, not even an execute: once more with a new one.
        return self._send(call, body, tokens.current(bad=token), repeatable=repeatable)

    def _send(self, call: str, body: Mapping[str, str], token: str, *, repeatable: bool) -> Reply:
        request = requests.Request(
            "POST",
            self.account.url(call),
            headers={"Authorization": token, "X-APP-Key": self.account.app_key},
            json=dict(body),
        )
        return Reply.of(self.out.send(request, repeatable=repeatable))


def _session(body: Mapping[str, Any], reference: str) -> Session:
    payment, page = body.get("paymentID"), body.get("bkashURL")
    if not (isinstance(payment, str) and _ID.fullmatch(payment) and isinstance(page, str)):
        raise OutcomeUnknown(SLUG, "an answer that opens no page")
    if body.get("merchantInvoiceNumber") not in (None, reference):
        raise OutcomeUnknown(SLUG, "an answer about another invoice")
    if not is_safe_page(page):
        raise Misconfigured(SLUG, "bkashURL is not an https address")
    return Session(redirect_url=page, gateway_reference=payment)


def _refund_ids(request: RefundRequest) -> dict[str, str]:
    return {
        "paymentID": request.payment.gateway_reference,
        "trxID": request.gateway_transaction_id,
    }


def _refunded(body: Mapping[str, Any], request: RefundRequest) -> RefundAnswer:
    evidence = {name: plain_text(body[name]) for name in body if EVIDENCE.fullmatch(name)}
    status, refund = plain_text(body.get("transactionStatus")), plain_text(body.get("refundTrxID"))
    reason = f"transactionStatus {status!r}"
    if body.get("originalTrxID") != request.gateway_transaction_id or not refund:
        return RefundAnswer(RefundState.UNKNOWN, reason="another refund", evidence=evidence)
    if refund in request.earlier:
        return RefundAnswer(RefundState.NOT_FOUND, reason="only earlier refunds are known")
    ours = exact_amount(body.get("amount")) == request.amount
    done = ours and status == "Completed" and body.get("currency") in (None, CURRENCY)
    state = RefundState.DONE if done else RefundState.UNKNOWN
    return RefundAnswer(state, gateway_refund_id=refund[:120], reason=reason, evidence=evidence)


def _judge(body: Mapping[str, Any], known: Known) -> Verdict:
    """Section 6: which payment the answer is about comes before what it says."""
    invoices = {plain_text(body.get(name)) for name in ("merchantInvoice", "merchantInvoiceNumber")}
    payment = plain_text(body.get("paymentID"))
    if not payment or invoices == {""}:
        return Verdict(Outcome.UNKNOWN, reason="an answer without paymentID or invoice")
    if payment != known.gateway_reference or invoices - {""} != {known.reference}:
        return Verdict(Outcome.FOREIGN, reason="an answer about another payment")
    status, amount = plain_text(body.get("transactionStatus")), exact_amount(body.get("amount"))
    evidence: dict[str, Any] = {
        name: plain_text(body[name]) for name in body if EVIDENCE.fullmatch(name)
    }
    reason = f"transactionStatus {status!r}"
    if status == "Initiated":
        confirmed = body.get("verificationStatus") == "Complete"
        ours = amount == known.amount and body.get("currency") == CURRENCY
        evidence["ready_to_capture"] = confirmed and ours and not known.execute_sent
        return Verdict(Outcome.PENDING, reason=reason, evidence=evidence)
    transaction, currency = plain_text(body.get("trxID"), 100), plain_text(body.get("currency"))
    if status != "Completed" or amount is None or not transaction or not currency:
        return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
    return Verdict(
        Outcome.PAID,
        amount=amount,
        currency=currency,
        gateway_transaction_id=transaction,
        reason=reason,
        evidence=evidence,
    )
