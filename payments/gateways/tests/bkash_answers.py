"""What bKash answers, and the adapter under test; names as on contract page bkash."""

from dataclasses import replace
from typing import Any, Final

import responses

from core.http import Outbound
from payments.gateways.base import Verdict
from payments.gateways.bkash import BkashGateway
from payments.gateways.bkash_tokens import Account
from payments.gateways.tests.canned import REFERENCE, known

BASE: Final = "https://bkash.test/v1"
CHECKOUT: Final = f"{BASE}/tokenized/checkout"
GRANT: Final = f"{CHECKOUT}/token/grant"
REFRESH: Final = f"{CHECKOUT}/token/refresh"
CREATE: Final = f"{CHECKOUT}/create"
EXECUTE: Final = f"{CHECKOUT}/execute"
QUERY: Final = f"{CHECKOUT}/payment/status"
PAYMENT: Final = "TR0011ON1565154754797"
PAGE: Final = "https://payment.bkash.com/?paymentId=TR0011ON1565154754797&hash=a"
START: Final = "2026-04-27T14:00:00Z"


def token(name: str = "token-one", **changes: object) -> dict[str, Any]:
    body = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "id_token": name,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": f"refresh-of-{name}",
    }
    return {"json": body | changes}


def created(**changes: object) -> dict[str, Any]:
    body = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "paymentID": PAYMENT,
        "bkashURL": PAGE,
        "amount": "1500.00",
        "intent": "sale",
        "currency": "BDT",
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "transactionStatus": "Initiated",
        "merchantInvoiceNumber": REFERENCE,
    }
    return {"json": body | changes}


def payment(**changes: object) -> dict[str, Any]:
    """The answer of query and execute; a member given as None is left out."""
    body: dict[str, object] = {
        "statusCode": "0000",
        "statusMessage": "Successful",
        "paymentID": PAYMENT,
        "mode": "0011",
        "payerReference": "01712345678",
        "customerMsisdn": "01712345678",
        "paymentCreateTime": "2026-04-27T20:00:00:123 GMT+0600",
        "paymentExecuteTime": "2026-04-27T20:01:00:456 GMT+0600",
        "trxID": "AH24068KCQ",
        "amount": "1500.00",
        "currency": "BDT",
        "intent": "sale",
        "merchantInvoice": REFERENCE,
        "transactionStatus": "Completed",
        "verificationStatus": "Complete",
    }
    return {"json": {name: value for name, value in (body | changes).items() if value is not None}}


def waiting(**changes: object) -> dict[str, Any]:
    none_yet: dict[str, object] = {"trxID": None, "paymentExecuteTime": None}
    return payment(**{**none_yet, "transactionStatus": "Initiated", **changes})


def refused(code: str, words: str = "No.") -> dict[str, Any]:
    return {"json": {"statusCode": code, "statusMessage": words}}


def refused_otherwise(code: str, status: int = 400) -> dict[str, Any]:
    return {"json": {"errorCode": code, "errorMessage": "No."}, "status": status}


OPENING: Final = {
    "opened": created(),
    "refused": refused("2006", "Invalid Amount"),
    "bad_credentials": {"status": 403, "json": {"message": "Forbidden"}},
}
VERIFYING: Final = {
    "paid": payment(),
    "paid_wrong_sum": payment(amount="15.00"),
    "paid_without_transaction": payment(trxID=None),
    "not_paid_yet": waiting(verificationStatus="Incomplete"),
    "given_up": waiting(verificationStatus="Incomplete"),
    "foreign": payment(merchantInvoice="BDV-48213378-1"),
    "unknown_status": payment(transactionStatus="Reversing"),
    "bad_credentials": refused("2001", "Invalid App Key"),
}


def gateway(**changes: Any) -> BkashGateway:
    account = Account(
        base_url=BASE,
        app_key="very-secret-key",
        app_secret="very-secret-secret",
        username="very-secret-user",
        password="very-secret-password",
    )
    return BkashGateway(out=Outbound("bkash"), account=replace(account, **changes))


def calls(wire: responses.RequestsMock, url: str) -> int:
    return sum(call.request.url == url for call in wire.calls)


def query(wire: responses.RequestsMock, answer: dict[str, Any], **of: Any) -> Verdict:
    wire.post(QUERY, **answer)
    return gateway().verify(known(PAYMENT, **of))


def execute(wire: responses.RequestsMock, answer: dict[str, Any]) -> Verdict:
    wire.post(EXECUTE, **answer)
    return gateway().capture(known(PAYMENT, execute_sent=True))
