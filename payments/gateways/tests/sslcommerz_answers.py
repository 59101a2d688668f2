"""What SSLCommerz answers, and the adapter under test; names as on contract page sslcommerz."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import md5, sha256
from typing import Any, Final
from urllib.parse import urlencode

import responses

from core.http import Outbound
from core.tests.wire import TRANSPORT
from payments.gateways.base import Known, Verdict
from payments.gateways.sslcommerz import SslCommerzGateway
from payments.gateways.sslcommerz_wire import Store
from payments.gateways.tests.canned import REFERENCE, Canned, known

BASE: Final = "https://securepay.sslcommerz.test"
OPEN: Final = f"{BASE}/gwprocess/v4/api.php"
VALIDATE: Final = f"{BASE}/validator/api/validationserverAPI.php"
QUERY: Final = f"{BASE}/validator/api/merchantTransIDvalidationAPI.php"
KEY: Final = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
PAGE: Final = f"https://epay-gw.sslcommerz.com/{KEY}"
VAL: Final = "200427140512xYz9"
BANK: Final = "2004271405BANK01"
PASSWORD: Final = "very-secret-store-password"
SHORT: Final = {"APIConnect": "DONE", "status": "INVALID_TRANSACTION"}


def opened(**changes: object) -> dict[str, Any]:
    body = {"status": "SUCCESS", "failedreason": "", "sessionkey": KEY, "GatewayPageURL": PAGE}
    return {"json": body | changes}


def refused(reason: str, status: str = "FAILED") -> dict[str, Any]:
    return {"json": {"status": status, "failedreason": reason, "sessionkey": ""}}


def attempt(**changes: object) -> dict[str, object]:
    """One try, as validation and query describe it; a member given as None is left out."""
    said: dict[str, object] = {
        "status": "VALID",
        "tran_date": "2026-04-27 20:00:00",
        "tran_id": REFERENCE,
        "val_id": VAL,
        "amount": "1500.00",
        "store_amount": "1462.50",
        "currency": "BDT",
        "bank_tran_id": BANK,
        "card_type": "VISA-Dutch Bangla",
        "card_no": "432149XXXXXX0667",
        "error": "",
        "risk_level": "0",
        "risk_title": "Safe",
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def failed(**changes: object) -> dict[str, object]:
    return attempt(status="FAILED", val_id="", error="Invalid expiration date", **changes)


def validated(**changes: object) -> dict[str, Any]:
    return {"json": {"APIConnect": "DONE"} | attempt(**changes)}


def found(*tries: object, **changes: object) -> dict[str, Any]:
    body: dict[str, object] = {"APIConnect": "DONE", "no_of_trans_found": len(tries)}
    return {"json": body | {"element": list(tries)} | changes}


def says(connect: str | None, **more: object) -> dict[str, Any]:
    return {"json": ({"APIConnect": connect} if connect else {}) | more}


OPENING: Final = {
    "opened": opened(),
    "refused": refused("Invalid Information! 'cus_phone' is missing or empty."),
    "bad_credentials": refused("Store Credential Error Or Store is De-active"),
}
#: Situation -> answers to the query and, where it is asked, to the validation.
VERIFYING: Final[Mapping[str, tuple[dict[str, Any], dict[str, Any] | None]]] = {
    "paid": (found(attempt()), validated()),
    "paid_wrong_sum": (found(attempt(amount="15.00")), validated(amount="15.00")),
    "paid_without_transaction": (found(attempt(val_id="")), None),
    "not_paid_yet": (found(), None),
    "given_up": (found(attempt(status="CANCELLED", val_id="")), None),
    "foreign": (found(attempt(tran_id="BDV-48213378-1")), None),
    "unknown_status": (found(attempt(status="REVERSED")), None),
    "bad_credentials": (says("FAILED"), None),
}


class CannedSslCommerz(Canned):
    """The query, and the validation that follows it."""

    def payment(self, situation: str) -> Known:
        query, validation = VERIFYING.get(situation, (TRANSPORT.get(situation, {}), None))
        self.wire.get(QUERY, **query)
        if validation is not None:
            self.wire.get(VALIDATE, **validation)
        return known(self.gateway_reference)


def gateway(**changes: Any) -> SslCommerzGateway:
    store = Store(base_url=BASE, store_id="teststore", password=PASSWORD)
    return replace(SslCommerzGateway(out=Outbound("sslcommerz"), store=store), **changes)


def verify_with(
    wire: responses.RequestsMock,
    *queries: dict[str, Any],
    validation: dict[str, Any] | None = None,
    key: str = KEY,
) -> Verdict:
    for answer in queries:
        wire.get(QUERY, **answer)
    if validation is not None:
        wire.get(VALIDATE, **validation)
    return gateway().verify(known(key))


def post_of(reference: str = REFERENCE, **changes: str) -> dict[str, str]:
    """The fields of a post about a paid session, unsigned."""
    fields = {
        "tran_id": reference,
        "val_id": VAL,
        "amount": "1500.00",
        "currency": "BDT",
        "status": "VALID",
        "store_id": "teststore",
        "bank_tran_id": BANK,
        "error": "",
        "risk_level": "0",
    }
    return fields | changes


def signed(
    fields: Mapping[str, str], password: str = PASSWORD, *, but: tuple[str, ...] = ("error",)
) -> dict[str, str]:
    """The fields with both signatures, worked out once more from section 4."""
    names = [name for name in fields if name not in but]
    given = {"verify_key": ",".join(names)}
    for member, digest in (("verify_sign", md5), ("verify_sign_sha2", sha256)):
        pairs = [*((name, fields[name]) for name in names)]
        pairs.append(("store_passwd", digest(password.encode()).hexdigest()))
        text = "&".join(f"{name}={value}" for name, value in sorted(pairs))
        given[member] = digest(text.encode()).hexdigest()
    return {**fields, **given}


def form(fields: Mapping[str, str]) -> dict[str, Any]:
    """As the argument of `read_callback`."""
    kind = "application/x-www-form-urlencoded"
    return {"query": {}, "body": urlencode(fields).encode(), "content_type": kind}
