"""What Nagad's answers say (contract page nagad, sections 6 to 8); readings: see `nagad`."""

import re
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from core.http import Answer
from core.providers import Declined, Misconfigured, OutcomeUnknown
from core.wire import exact_amount, plain_text
from payments.gateways.base import Outcome, RefundAnswer, RefundRequest, RefundState, Verdict
from payments.gateways.nagad_crypto import SLUG

PAID_CODE: Final = "000"

#: Section 6; compared in lower case, all else is UNKNOWN.
OUTCOMES: Final[Mapping[str, Outcome]] = {
    "success": Outcome.PAID,
    "orderinitiated": Outcome.PENDING,
    "initiated": Outcome.PENDING,
    "ready": Outcome.PENDING,
    "inprogress": Outcome.PENDING,
    "transactioninprogress": Outcome.PENDING,
    "otpsent": Outcome.PENDING,
    "otpverified": Outcome.PENDING,
    "pingiven": Outcome.PENDING,
    "failed": Outcome.FAILED,
    "unknownfailed": Outcome.FAILED,
    "invalidrequest": Outcome.FAILED,
    "fraud": Outcome.FAILED,
    "aborted": Outcome.CANCELLED,
    "cancelled": Outcome.CANCELLED,
    "partialcancelled": Outcome.REFUNDED,
    "refunded": Outcome.REFUNDED,
    "partialrefunded": Outcome.REFUNDED,
}
IN_PART: Final = frozenset({"partialcancelled", "partialrefunded"})
IN_WHOLE: Final = frozenset({"cancelled", "refunded"})
#: Section 7, the refusal classes: whose fault it is. What is in neither decides nothing.
OUR_FAULT: Final = re.compile("merchant|crypt|encod|signature|apirequest|currency")
REFUSED: Final = re.compile("duplicate|orderid|purchaseinformation|referenceid")
#: A longer id is kept as its digest: cut, it might be taken for another one.
LONGEST_ID: Final = 100
#: What an operator may see of an answer: nothing of the payer.
EVIDENCE: Final = re.compile(
    "status(Code)?|amount|orderDateTime|(issuerPayment|cancelIssuer)(DateTime|RefNo)"
    "|code|(original|cancel)Amount|cancelTrxId"
)


def check_firewall(answer: Answer) -> None:
    """Section 7: the web firewall's page says that our address is not on Nagad's list."""
    if b"support ID is" in answer.body:
        raise Misconfigured(SLUG, "the firewall refuses us: is our address on Nagad's list?")


def reason_of(body: Mapping[str, Any]) -> str:
    return re.sub("[^a-z]", "", plain_text(body.get("reason")).lower())


def summary_of(body: Mapping[str, Any]) -> str:
    return f"{plain_text(body.get('reason'))} {plain_text(body.get('message'))}".strip()


def refusal(answer: Answer) -> Declined | Misconfigured | OutcomeUnknown:
    """Section 7: `{reason, message}` with a reason we can place, else nobody knows."""
    body = answer.json() or {}
    reason, words = reason_of(body), summary_of(body)
    raw = plain_text(body.get("reason"), 40) or str(answer.status)
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and OUR_FAULT.search(reason):
        return Misconfigured(SLUG, words, raw_code=raw)
    if REFUSED.search(reason):
        return Declined(SLUG, words, raw_code=raw)
    return OutcomeUnknown(SLUG, f"unclear answer {words}".strip(), raw_code=raw)


def judged(body: Mapping[str, Any]) -> Verdict:
    """Section 6: what an answer about our payment says."""
    status = plain_text(body.get("status"))
    evidence = {name: plain_text(body[name]) for name in body if EVIDENCE.fullmatch(name)}
    reason = f"status {status!r}"
    outcome = OUTCOMES.get(status.lower(), Outcome.UNKNOWN)
    if outcome is Outcome.CANCELLED and plain_text(body.get("cancelIssuerRefNo")):
        outcome = Outcome.REFUNDED
    if outcome is not Outcome.PAID:
        return Verdict(outcome, reason=reason, evidence=evidence)
    amount, movement = exact_amount(body.get("amount")), _issuer_id(body)
    if plain_text(body.get("statusCode")) != PAID_CODE or amount is None or not movement:
        reason = "success without its code, amount or issuerPaymentRefNo"
        return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
    return Verdict(
        Outcome.PAID,
        amount=amount,
        gateway_transaction_id=movement,
        reason=reason,
        evidence=evidence,
    )


def _issuer_id(body: Mapping[str, Any]) -> str:
    """The wallet's transaction id; a long one, as in older samples, by its digest."""
    said = plain_text(body.get("issuerPaymentRefNo"), 4000)
    return said if len(said) <= LONGEST_ID else f"sha256:{sha256(said.encode()).hexdigest()}"


def refunded(done: Mapping[str, Any], request: RefundRequest) -> RefundAnswer:
    """Section 8: done by a refunded state with a `cancelTrxId`, for exactly our sum."""
    status, refund = plain_text(done.get("status")), plain_text(done.get("cancelTrxId"), 120)
    evidence = {name: plain_text(done[name]) for name in done if EVIDENCE.fullmatch(name)}
    ours = exact_amount(done.get("cancelAmount")) == request.amount
    good = ours and bool(refund) and status.lower() in IN_PART | IN_WHOLE
    if not good:
        return RefundAnswer(RefundState.UNKNOWN, reason=f"status {status!r}", evidence=evidence)
    return RefundAnswer(RefundState.DONE, refund, reason=f"status {status!r}", evidence=evidence)


def paid_amount(request: RefundRequest) -> Decimal:
    """What verify said was paid; it may differ from what we asked for."""
    return exact_amount(request.evidence.get("amount")) or request.payment.amount


def traced(body: Mapping[str, Any], request: RefundRequest) -> RefundAnswer:
    """What verify's answer says of one refund."""
    status, refund = plain_text(body.get("status")), plain_text(body.get("cancelIssuerRefNo"), 120)
    evidence = {name: plain_text(body[name]) for name in body if EVIDENCE.fullmatch(name)}
    reason = f"status {status!r}"
    if status.lower() == "success" and not refund:
        return RefundAnswer(RefundState.NOT_FOUND, reason=reason, evidence=evidence)
    if refund and refund in request.earlier:
        return RefundAnswer(RefundState.NOT_FOUND, reason="only earlier refunds are known")
    whole = request.amount == paid_amount(request)
    first = not request.earlier and status.lower() in (IN_WHOLE if whole else IN_PART)
    known = bool(request.gateway_refund_id) and refund == request.gateway_refund_id
    if refund and (known or first):
        return RefundAnswer(RefundState.DONE, refund, reason=reason, evidence=evidence)
    # Without its id: kept with our refund, it would be taken for ours when we ask again.
    return RefundAnswer(RefundState.UNKNOWN, reason=reason, evidence=evidence)
