"""The wire that bdapps and Applink share (hSenid CaaS; contract page dcb, sections 3 and 4).

HTTP 200 also for failures: `statusCode` tells. Where the page is silent or says two things:

* E1337 (vendor texts differ), E1601 to E1603 and every code the page does not list decide nothing.
* E1318 and E1319 are "not charged, the same id later"; to a repetition they say nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self

import requests

from core.http import Answer, Outbound
from core.money import taka
from core.providers import Misconfigured, Unavailable
from core.wire import plain_text
from payments.gateways.base import Outcome, Verdict

CHARGED: Final = "S1000"
CHARGED_BEFORE: Final = "E1379"
PASSWORD_SENT: Final = "P1003"  # noqa: S105 - an answer's code
CANCELLED: Final = frozenset({"E1405", "E1406"})
FAILED: Final = frozenset(
    [
        "E1378",
        "E1326",
        "E1328",
        "E1309",
        "E1329",
        "E1330",
        "E1317",
        "E1325",
        "E1342",
        "E1336",
        "E1370",
        "E1371",
        "E1372",
        "E1376",
        "E1377",
        "E1382",
    ]
)
OUR_FAULT: Final = frozenset(["E1343", "E1380", "E1303", "E1313", "E1312", "E1605", "E1606"])
LATER: Final = frozenset({"E1318", "E1319"})
#: "Failed after one repetition with the same id".
FAILED_IF_REPEATED: Final = frozenset({"E1308", "E1404"})


@dataclass(frozen=True, slots=True)
class Reply:
    body: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(answer.json() or {})

    @property
    def code(self) -> str:
        return plain_text(self.body.get("statusCode"), 10)

    @property
    def summary(self) -> str:
        return f"{self.code} {plain_text(self.body.get('statusDetail'))}".strip()

    def text(self, name: str) -> str:
        return plain_text(self.body.get(name), 100)

    def evidence(self) -> dict[str, str]:
        """What an operator may see of an answer: nothing of the payer."""
        names = ("statusCode", "statusDetail", "externalTrxId", "internalTrxId")
        return {name: self.text(name) for name in names if name in self.body}


@dataclass(frozen=True, slots=True)
class CaasAccount:
    """One application at one platform; the credentials travel in each body."""

    name: str
    out: Outbound = field(repr=False)
    base_url: str
    application_id: str
    password: str = field(repr=False)
    instrument: str

    def call(self, path: str, body: Mapping[str, str], *, repeatable: bool) -> Reply:
        """
        Raises:
            Misconfigured: our credentials, address or a field of ours is refused.
            Unavailable: surely nothing was done, or `repeatable` and no clear answer.
            OutcomeUnknown: it may have been done.
        """
        credentials = {"applicationId": self.application_id, "password": self.password}
        request = requests.Request("POST", f"{self.base_url}{path}", json=credentials | dict(body))
        reply = Reply.of(self.out.send(request, repeatable=repeatable))
        if reply.code in OUR_FAULT:
            raise Misconfigured(self.name, reply.summary, raw_code=reply.code)
        if reply.code in LATER:
            raise Unavailable(self.name, reply.summary, raw_code=reply.code)
        return reply

    def debit(self, external_id: str, subscriber: str, amount: Decimal) -> dict[str, str]:
        return {
            "externalTrxId": external_id,
            "subscriberId": subscriber,
            "paymentInstrumentName": self.instrument,
            "amount": str(taka(amount)),
        }


def refusal(reply: Reply) -> Verdict | None:
    """The verdict of a definite no to a charge."""
    if reply.code in CANCELLED:
        return Verdict(Outcome.CANCELLED, reason=reply.summary, evidence=reply.evidence())
    if reply.code in FAILED:
        return Verdict(Outcome.FAILED, reason=reply.summary, evidence=reply.evidence())
    return None
