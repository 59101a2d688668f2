"""Validation and the two queries: the calls that tell what became of the money."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from simulators.frame.clock import dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Refusal, Response, json_response

from . import records
from .answers import API_CONNECT, spoil, told
from .records import Session, session_facts

if TYPE_CHECKING:
    from .service import SslCommerz

Endpoint: TypeAlias = "Callable[[SslCommerz, Call], Response]"
#: How by-session words the sessions that ended without money; it has no others.
ENDED: Final = records.NOT_PAID


def not_done(api_connect: str | None, **rest: object) -> NoReturn:
    said = {} if api_connect is None else {"APIConnect": api_connect}
    raise Refusal(json_response({**said, **rest}))


def check_store(service: SslCommerz, call: Call) -> str:
    """The store that asks, by its parameters.

    Raises:
        Refusal: unknown, or switched off.
    """
    query = call.request.query
    store = query.get("store_id", "")
    if not service.knows(store, query.get("store_passwd", "")):
        not_done("FAILED")
    if not service.settings["active"]:
        not_done("INACTIVE")
    return store


def refuse_by(fault: Fault | None) -> None:
    if fault is not None and fault.fault in API_CONNECT:
        not_done(API_CONNECT[fault.fault])


def finish(service: SslCommerz, answer: JsonObject, fault: Fault | None) -> Response:
    if fault is not None:
        for said in answer.get("element", [answer]):
            spoil(said, fault, used_val_id=service.first_val_id())
        if fault.fault == "no_api_connect":
            del answer["APIConnect"]
    return json_response(answer)


def validate(service: SslCommerz, call: Call) -> Response:
    store, val_id = check_store(service, call), call.request.query.get("val_id", "")
    if not val_id:
        not_done("INVALID_REQUEST")
    session = service.by_val_id(val_id)
    fault = service.faults.take("validate", session_facts(session) if session else {})
    refuse_by(fault)
    unknown = session is None or session.store_id != store
    if unknown or (fault is not None and fault.fault == "invalid_transaction"):
        return json_response({"APIConnect": "DONE", "status": "INVALID_TRANSACTION"})
    assert session is not None  # noqa: S101 - for the type checker
    attempt = next(each for each in session.attempts if each.val_id == val_id)
    said: JsonObject = {"APIConnect": "DONE", "gw_version": "", **told(session, attempt)}
    if attempt.status == records.VALID:
        attempt.status = records.VALIDATED
        attempt.validated_on = dhaka_text(service.clock.now())
    return finish(service, said, fault)


def by_transaction(service: SslCommerz, call: Call) -> Response:
    store, tran_id = check_store(service, call), call.request.query["tran_id"]
    session = service.sessions.get(tran_id)
    if session is not None and session.store_id != store:
        session = None
    fault = service.faults.take("query", session_facts(session) if session else {})
    refuse_by(fault)
    elements: list[JsonObject] = []
    if session is not None and not hidden(service, session, fault):
        elements = [dict(told(session, attempt)) for attempt in session.attempts]
    answer: JsonObject = {
        "APIConnect": "DONE",
        "no_of_trans_found": len(elements),
        "element": elements,
    }
    response = finish(service, answer, fault)
    if fault is not None and fault.fault == "no_elements":
        return json_response({"APIConnect": "DONE", "no_of_trans_found": len(elements)})
    return response


def hidden(service: SslCommerz, session: Session, fault: Fault | None) -> bool:
    if fault is None or fault.fault != "not_found":
        return False
    return service.clock.now() - session.created_at < fault.number("within", float("inf"))


def by_session(service: SslCommerz, call: Call) -> Response:
    store, key = check_store(service, call), call.request.query["sessionkey"]
    session = service.by_key(key)
    fault = service.faults.take("query_session", session_facts(session) if session else {})
    refuse_by(fault)
    if session is None or session.store_id != store:
        return json_response({"APIConnect": "DONE", "status": "INVALID_TRANSACTION"})
    last = session.last
    if last is None:
        last = records.Attempt("", dhaka_text(session.created_at), "", session.amount)
    said: JsonObject = {"APIConnect": "DONE", **told(session, last)}
    if not last.paid:
        said["status"] = records.PENDING if session.state == records.OPEN else ENDED
    return finish(service, said, fault)


def unnamed(service: SslCommerz, call: Call) -> Response:
    """None of the parameters that say which of the four calls is meant."""
    check_store(service, call)
    not_done("INVALID_REQUEST")
