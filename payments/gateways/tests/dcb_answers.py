"""bdapps and Applink as their contract page has them, for canned answers."""

import json
from typing import Any, Final

from core.http import Outbound
from payments.gateways.base import Consent
from payments.gateways.carriers.applink import Applink
from payments.gateways.carriers.bdapps import Bdapps
from payments.gateways.carriers.caas import CaasAccount
from payments.gateways.dcb import DcbGateway

BDAPPS: Final = "https://bdapps.test"
APPLINK: Final = "https://applink.test"
DEBIT: Final = "/caas/direct/debit"
OTP: Final = "/caas/otp/verify"
EXTERNAL: Final = "BDV482133771"
ROBI, BANGLALINK = "tel:8801812345678", "tel:8801912345678"
SECRETS: Final = ("secret-of-bdapps", "secret-of-applink")


def gateway(answer_seconds: float = 1.0) -> DcbGateway:
    out = Outbound("dcb", answer_seconds=answer_seconds)
    return DcbGateway(
        carriers={
            "bdapps": Bdapps(CaasAccount("dcb", out, BDAPPS, "APP_1", SECRETS[0], "MobileAccount")),
            "applink": Applink(
                CaasAccount("dcb", out, APPLINK, "APP_2", SECRETS[1], "Mobile Account")
            ),
        },
        senders=("203.0.113.0/24", "2001:db8::1"),
    )


def coded(code: str, **rest: object) -> dict[str, Any]:
    """An answer with HTTP 200, whatever it says."""
    body = {"statusCode": code, "statusDetail": f"text of {code}", "externalTrxId": EXTERNAL}
    return {"json": {key: value for key, value in (body | rest).items() if value is not None}}


def begun(**changes: object) -> dict[str, Any]:
    return coded("P1003", **({"requestCorrelator": "C1", "internalTrxId": "77"} | changes))


def notice(code: str = "S1000", **changes: object) -> str:
    body: dict[str, object] = {
        "timeStamp": "15-Nov-2023 11:55",
        "TotalAmount": "1500.00",
        "paidAmount": "1500.00",
        "balanceDue": "0.00",
        "externalTrxId": EXTERNAL,
        "internalTrxId": "77",
        "referenceId": "C1",
        "currency": "BDT",
        "statusCode": code,
        "statusDetail": f"text of {code}",
        "version": "1.0",
    }
    return json.dumps({key: value for key, value in (body | changes).items() if value is not None})


def robi(*, given: bool = True) -> Consent:
    return Consent(carrier="bdapps", subscriber=ROBI, given=given)


def banglalink(*notices: str) -> Consent:
    return Consent(
        carrier="applink",
        subscriber=BANGLALINK,
        correlator="C1",
        internal_id="77",
        notices=notices,
    )


#: What the first step at Applink meets, beside the transport's situations.
OPENING: Final = {
    "opened": begun(),
    "refused": coded("E1378"),
    "bad_credentials": coded("E1313"),
}
#: What a repeated debit at bdapps meets.
VERIFYING: Final = {
    "paid": coded("E1379", internalTrxId="4711"),
    "given_up": coded("E1406"),
    "paid_without_transaction": coded("S1000"),
    "foreign": coded("S1000", externalTrxId="BDV111111111", internalTrxId="4711"),
    "unknown_status": coded("X9999"),
    "bad_credentials": coded("E1313"),
}
