"""Form posts to the merchant: by the payer's browser, and by the server (IPN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Response
from simulators.frame.outbound import Delivery
from simulators.frame.pages import page
from simulators.frame.returning import RETURN_FAULTS as WHETHER_AND_WHEN

from . import records
from .answers import other_amount, posted
from .records import Attempt, Session, session_facts
from .signing import signed

if TYPE_CHECKING:
    from .service import SslCommerz

FORM: Final[Mapping[str, str]] = {"Content-Type": "application/x-www-form-urlencoded"}
#: What may be wrong with the fields of a post, by browser or server.
FIELDS: Final[Mapping[str, str]] = {
    "wrong_signature": "signatures of a wrong password",
    "wrong_sha2": "verify_sign is right, verify_sign_sha2 is not",
    "md5_only": "no verify_sign_sha2",
    "unsigned": "no verify_key and no signature",
    "other_store": "of another store, with that store's right signature",
    "forged_success": "VALID with an invented val_id, whatever it is, wrongly signed",
    "changed_after": "another tran_id (`tran_id`), under the signature of the true one",
    "wrong_tran_id": "another tran_id (`tran_id`), rightly signed",
    "other_val_id": "another val_id (`val_id`, else the first one paid), rightly signed",
    "wrong_status": "another `status`, rightly signed",
    "wrong_amount": "another amount (`amount`), rightly signed",
    "short": "only tran_id and status, rightly signed",
}
RETURN_FAULTS: Final[Mapping[str, str]] = {**WHETHER_AND_WHEN, **FIELDS}
IPN_FAULTS: Final[Mapping[str, str]] = {
    "never": "not sent",
    "repeat": "sent `count` (2) times at once",
    "late": "sent after `seconds` (5)",
    "before_return": "answered by the merchant before the browser is sent back",
    "malformed": "a body that is no form",
    **FIELDS,
}
#: The browser's page may run the one script that presses its button.
SUBMITTING: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
    " base-uri 'none'; frame-ancestors 'self'"
)


def success_or_fail(session: Session) -> str:
    match session.state:
        case records.PAID:
            return session.success_url
        case records.CANCELLED | records.UNATTEMPTED:
            return session.cancel_url
    return session.fail_url


def told_attempt(session: Session) -> Attempt | None:
    """The try a post tells of; a payer who gave up leaves none."""
    return session.last if session.state in (records.PAID, records.FAILED) else None


def post_fields(service: SslCommerz, session: Session, fault: Fault | None) -> dict[str, str]:
    """All fields of a post, signed, and what a fault makes of them."""
    at = dhaka_text(service.clock.now())
    fields = posted(session, told_attempt(session), session.state, at)
    name = fault.fault if fault else ""
    password = service.password_of(session.store_id)
    match name:
        case "other_store":
            fields["store_id"], password = service.other_store
        case "wrong_signature":
            password = "not-the-password"  # noqa: S105 - wrong on purpose
        case "forged_success":
            fields |= {"status": "VALID", "val_id": "FORGED0001", "error": ""}
            password = "not-the-password"  # noqa: S105 - wrong on purpose
        case "wrong_tran_id" if fault:
            fields["tran_id"] = fault.text("tran_id", "NOT-YOURS-1")
        case "other_val_id" if fault:
            fields["val_id"] = fault.text("val_id", service.first_val_id())
        case "wrong_status" if fault:
            fields["status"] = fault.text("status", "REVERSED")
        case "wrong_amount" if fault:
            fields["amount"] = fault.text("amount", other_amount(session.amount))
        case "short":
            fields = {each: fields[each] for each in ("tran_id", "status")}
    fields = signed(fields, password)
    if fault is not None:
        unsign(fields, fault)
    return fields


def unsign(fields: dict[str, str], fault: Fault) -> None:
    match fault.fault:
        case "wrong_sha2":
            fields["verify_sign_sha2"] = "0" * 64
        case "md5_only":
            del fields["verify_sign_sha2"]
        case "unsigned":
            for each in ("verify_key", "verify_sign", "verify_sign_sha2"):
                del fields[each]
        case "changed_after":
            fields["tran_id"] = fault.text("tran_id", "NOT-YOURS-1")


def post(kind: str, url: str, fields: Mapping[str, str], reference: str) -> Delivery:
    return Delivery(
        kind=kind, url=url, headers=dict(FORM), body=urlencode(fields), reference=reference
    )


def send_back(service: SslCommerz, session: Session, brand: str) -> Response:
    """A page that lets the browser post its fields to the merchant, or what a fault makes of it."""
    fault = service.faults.take("return", session_facts(session))
    fields = post_fields(service, session, fault)
    target, name = success_or_fail(session), fault.fault if fault else ""
    if name == "missing":
        fields = {}
    visit = post("return", target, fields, session.tran_id)
    if fault is not None and name == "repeat":
        for _ in range(int(fault.number("count", 2)) - 1):
            service.deliver(visit)
    if fault is not None and name == "late":
        service.deliver(visit, after=fault.number("seconds", 5))
    if name in ("never", "late"):
        return page("closed.html", brand=brand, target=target)
    answer = page("returning.html", brand=brand, target=target, fields=list(fields.items()))
    answer.headers["Content-Security-Policy"] = SUBMITTING
    return answer


def plan_ipn(service: SslCommerz, session: Session) -> Delivery | None:
    """Put the IPN on the agenda; one that must overtake the browser is returned instead."""
    url = session.ipn_url or service.settings["ipn_url"]
    if not url:
        return None
    fault = service.faults.take("ipn", session_facts(session))
    name = fault.fault if fault else ""
    if name == "never":
        return None
    delivery = post("ipn", url, post_fields(service, session, fault), session.tran_id)
    delivery.waits = list(service.settings["ipn_waits"])
    if name == "malformed":
        delivery.body = '{"tran_id": "' + session.tran_id
    if name == "before_return":
        return delivery
    count = int(fault.number("count", 2)) if fault and name == "repeat" else 1
    after = fault.number("seconds", 5) if fault and name == "late" else 0.0
    for _ in range(count):
        service.deliver(delivery, after=after)
    return None


def forged(service: SslCommerz, wish: JsonObject) -> Delivery:
    """A post that somebody made up; ``password`` signs it, the store's own one rightly."""
    tran_id = str(wish.get("tran_id", "UNKNOWN-1"))
    session = service.sessions.get(tran_id)
    ipn = wish.get("channel", "return") == "ipn"
    url = (session.ipn_url if ipn else session.success_url) if session else ""
    fields = {
        "tran_id": tran_id,
        "status": str(wish.get("status", "VALID")),
        "val_id": str(wish.get("val_id", "FORGED0001")),
        "amount": str(wish.get("amount", session.amount if session else "100.00")),
        "currency": "BDT",
        "store_id": str(wish.get("store_id", session.store_id if session else "")),
        "risk_level": "0",
    }
    password = str(wish.get("password", "not-the-password"))
    kind = "forged ipn" if ipn else "forged return"
    return post(kind, str(wish.get("url") or url), signed(fields, password), tran_id)
