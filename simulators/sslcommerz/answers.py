"""What is said of a session: posts to the merchant, validation answers, elements of a query."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject

from . import records
from .records import Attempt, Session

SESSION_FAULTS: Final[Mapping[str, str]] = {
    "refused": "FAILED with `reason`",
    "bad_credentials": "FAILED, store credential error",
    "no_url": "SUCCESS without GatewayPageURL",
    "no_sessionkey": "SUCCESS without sessionkey",
    "wrong_host": "GatewayPageURL elsewhere (`url`)",
    "status_text": "status is `text`",
}
NOT_DONE: Final[Mapping[str, str]] = {
    "api_failed": "APIConnect FAILED (credentials)",
    "inactive": "APIConnect INACTIVE",
    "invalid_request": "APIConnect INVALID_REQUEST",
    "no_api_connect": "no APIConnect at all",
}
TOLD: Final[Mapping[str, str]] = {
    **NOT_DONE,
    "status_text": "status is `text`, whatever it is",
    "pending": "PENDING although it is decided",
    "wrong_amount": "another amount (`amount`)",
    "wrong_currency": "another currency (`currency`, USD)",
    "wrong_tran_id": "another tran_id (`tran_id`)",
    "risky": "risk_level 1",
    "no_val_id": "val_id is empty",
    "used_val_id": "val_id of another payment (`val_id`, else the first one paid)",
    "no_bank_tran_id": "bank_tran_id is empty",
}
VALIDATE_FAULTS: Final[Mapping[str, str]] = {
    **TOLD,
    "invalid_transaction": "INVALID_TRANSACTION: val_id unknown, or of another store",
}
QUERY_FAULTS: Final[Mapping[str, str]] = {
    **TOLD,
    "not_found": "no element, with `within` only in the first so many seconds after the session",
    "no_elements": "no member `element`",
}
QUERY_SESSION_FAULTS: Final[Mapping[str, str]] = TOLD
API_CONNECT: Final[Mapping[str, str]] = {
    "api_failed": "FAILED",
    "inactive": "INACTIVE",
    "invalid_request": "INVALID_REQUEST",
}


def two_digits(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01")))


def money(session: Session) -> dict[str, str]:
    return {
        "currency_type": session.currency,
        "currency_amount": two_digits(Decimal(session.total_amount)),
        "currency_rate": str(records.RATES[session.currency]),
        "base_fair": "0.00",
    }


def values(session: Session) -> dict[str, str]:
    return {f"value_{each}": session.values.get(each, "") for each in "abcd"}


def card(attempt: Attempt) -> dict[str, str]:
    card_type, brand, number = records.METHODS[attempt.method]
    return {
        "card_type": card_type,
        "card_no": number,
        "card_issuer": "DUTCH BANGLA BANK, LTD.",
        "card_brand": brand,
        "card_sub_brand": "Classic",
        "card_issuer_country": "Bangladesh",
        "card_issuer_country_code": "BD",
    }


def risk(attempt: Attempt) -> dict[str, str]:
    title = "Safe" if attempt.risk_level == "0" else "Risky, hold for review"
    return {"risk_level": attempt.risk_level, "risk_title": title}


def store_amount(attempt: Attempt) -> str:
    return two_digits(Decimal(attempt.amount) * Decimal("0.975")) if attempt.paid else ""


def told(session: Session, attempt: Attempt) -> dict[str, str]:
    """One try as validation and queries describe it."""
    return {
        "status": attempt.status,
        "tran_date": attempt.tran_date,
        "tran_id": session.tran_id,
        "val_id": attempt.val_id,
        "amount": attempt.amount,
        "store_amount": store_amount(attempt),
        "currency": attempt.currency,
        "bank_tran_id": attempt.bank_tran_id,
        "error": attempt.error,
        "validated_on": attempt.validated_on,
        **card(attempt),
        **money(session),
        **values(session),
        **risk(attempt),
    }


def posted(session: Session, attempt: Attempt | None, state: str, at: str) -> dict[str, str]:
    """The fields of a post, unsigned; cancelled and unattempted ones are shorter."""
    status, reason = records.POSTED[state]
    fields = {
        "tran_id": session.tran_id,
        "status": status,
        "tran_date": attempt.tran_date if attempt else at,
        "error": (attempt.error if attempt else "") or reason,
        "amount": attempt.amount if attempt else session.amount,
        "currency": attempt.currency if attempt else "BDT",
        "store_id": session.store_id,
        **money(session),
        **values(session),
    }
    if attempt is None:
        return fields
    return {
        **fields,
        "val_id": attempt.val_id if attempt.paid else "",
        "bank_tran_id": attempt.bank_tran_id,
        "store_amount": store_amount(attempt),
        **card(attempt),
        **risk(attempt),
    }


def spoil(said: JsonObject, fault: Fault, *, used_val_id: str) -> None:
    """Change what is said of one try."""
    match fault.fault:
        case "status_text":
            said["status"] = fault.text("text", "REVERSED")
        case "pending":
            said["status"] = records.PENDING
        case "wrong_amount":
            said["amount"] = said["currency_amount"] = fault.text(
                "amount", other_amount(str(said["amount"]))
            )
        case "wrong_currency":
            said["currency"] = said["currency_type"] = fault.text("currency", "USD")
        case "wrong_tran_id":
            said["tran_id"] = fault.text("tran_id", "NOT-YOURS-1")
        case "risky":
            said |= {"risk_level": "1", "risk_title": "Risky, hold for review"}
        case "no_val_id":
            said["val_id"] = ""
        case "used_val_id":
            said["val_id"] = fault.text("val_id", used_val_id)
        case "no_bank_tran_id":
            said["bank_tran_id"] = ""


def other_amount(amount: str) -> str:
    return two_digits(max(Decimal(amount) - 1, Decimal("0.50")))
