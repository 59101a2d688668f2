"""Refunds: asked for under the merchant's own ``refund_trans_id``, given back a while later."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulators.frame.clock import dhaka_text
from simulators.frame.http import Call, JsonObject, Response, json_response
from simulators.frame.service import ControlRefused

from . import records
from .answers import NOT_DONE
from .asking import check_store, finish, not_done, refuse_by
from .records import Attempt, Refund, Session, session_facts

if TYPE_CHECKING:
    from .service import SslCommerz

ID_LIMIT: Final = 30
REMARKS_LIMIT: Final = 255
REFUND_FAULTS: Final[Mapping[str, str]] = {
    **NOT_DONE,
    "refused": "failed with errorReason `reason`, nothing done",
    "processing": "processing, as if it had been asked for before; it has been taken",
    "status_text": "status is `text`; it has been taken",
    "no_ref": "success without refund_ref_id; it has been taken",
}
REFUND_QUERY_FAULTS: Final[Mapping[str, str]] = {
    **NOT_DONE,
    "processing": "processing, whatever it is",
    "refunded": "refunded, whatever it is",
    "cancelled": "cancelled, whatever it is",
    "status_text": "status is `text`",
    "wrong_ref": "another refund_ref_id (`refund_ref_id`)",
}


def start(service: SslCommerz, call: Call) -> Response:
    store, query = check_store(service, call), call.request.query
    session, attempt = service.by_bank_tran_id(query.get("bank_tran_id", ""))
    fault = service.faults.take("refund", session_facts(session) if session else {})
    refuse_by(fault)
    if fault is not None and fault.fault == "refused":
        return failed(query, fault.text("reason", "Refund is not allowed for this transaction"))
    if not 0 < len(query.get("refund_trans_id", "")) <= ID_LIMIT:
        not_done("INVALID_REQUEST", status="failed", errorReason="refund_trans_id is missing")
    if session is None or attempt is None or session.store_id != store:
        return failed(query, "Invalid bank_tran_id")
    known = next(
        (r for r in attempt.refunds if r.refund_trans_id == query["refund_trans_id"]), None
    )
    reason = "" if known else unacceptable(service, attempt, query)
    if reason:
        return failed(query, reason)
    refund = known or made(service, attempt, query)
    answer = envelope(session, attempt, refund, "processing" if known else "success")
    if fault is not None and fault.fault == "processing":
        answer["status"] = "processing"
    if fault is not None and fault.fault == "no_ref":
        answer["refund_ref_id"] = ""
    return finish(service, answer, fault)


def failed(query: Mapping[str, str], reason: str) -> Response:
    return json_response(
        {
            "APIConnect": "DONE",
            "bank_tran_id": query.get("bank_tran_id", ""),
            "trans_id": "",
            "refund_ref_id": "",
            "status": "failed",
            "errorReason": reason,
        }
    )


def unacceptable(service: SslCommerz, attempt: Attempt, query: Mapping[str, str]) -> str:
    """Why this refund can't be taken; empty if it can."""
    amount = query.get("refund_amount", "")
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2})?", amount) or Decimal(amount) <= 0:
        return "Invalid refund_amount"
    if not 0 < len(query.get("refund_remarks", "")) <= REMARKS_LIMIT:
        return "Invalid refund_remarks"
    if not attempt.paid:
        return "Transaction is not paid"
    if Decimal(amount) > attempt.refundable:
        return "Refund amount is more than what can be refunded"
    if service.refund_known(query["refund_trans_id"]):
        return "refund_trans_id is already used"
    return ""


def made(service: SslCommerz, attempt: Attempt, query: Mapping[str, str]) -> Refund:
    refund = Refund(
        refund_ref_id=secrets.token_hex(11),
        refund_trans_id=query["refund_trans_id"],
        amount=query["refund_amount"],
        remarks=query["refund_remarks"],
        initiated_on=dhaka_text(service.clock.now()),
    )
    attempt.refunds.append(refund)
    after = float(service.settings["refund_after"])
    if after >= 0:
        service.at(after, "refund", refund_ref_id=refund.refund_ref_id)
    return refund


def envelope(session: Session, attempt: Attempt, refund: Refund, status: str) -> JsonObject:
    return {
        "APIConnect": "DONE",
        "bank_tran_id": attempt.bank_tran_id,
        "trans_id": session.tran_id,
        "refund_ref_id": refund.refund_ref_id,
        "status": status,
        "errorReason": "",
    }


def query(service: SslCommerz, call: Call) -> Response:
    store = check_store(service, call)
    session, attempt, refund = service.by_refund(call.request.query["refund_ref_id"])
    fault = service.faults.take("refund_query", session_facts(session) if session else {})
    refuse_by(fault)
    if session is None or attempt is None or refund is None or session.store_id != store:
        return failed({}, "Invalid refund_ref_id")
    answer = envelope(session, attempt, refund, refund.status)
    answer |= {"initiated_on": refund.initiated_on, "refunded_on": refund.refunded_on}
    match fault.fault if fault else "":
        case "processing" | "refunded" | "cancelled" as word:
            answer["status"] = word
        case "wrong_ref" if fault:
            answer["refund_ref_id"] = fault.text("refund_ref_id", "NOT-YOURS-1")
    return finish(service, answer, fault)


def conclude(service: SslCommerz, refund: Refund, status: str = records.REFUNDED) -> None:
    """The money is back, or will not come."""
    if refund.status == records.PROCESSING:
        refund.status = status
        refund.refunded_on = dhaka_text(service.clock.now()) if status == records.REFUNDED else ""


def control(service: SslCommerz, wish: JsonObject) -> JsonObject:
    """Decide a refund that is being processed: refunded or cancelled."""
    _, _, refund = service.by_refund(str(wish.get("refund_ref_id", "")))
    status = str(wish.get("status", records.REFUNDED))
    if refund is None or status not in (records.REFUNDED, records.REFUND_CANCELLED):
        raise ControlRefused("refund_ref_id must name a refund, status be refunded or cancelled.")
    conclude(service, refund, status)
    return vars(refund)
