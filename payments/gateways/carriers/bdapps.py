"""bdapps CaaS, Robi and Airtel (contract page dcb, section 3): one synchronous debit.

There is no status query: the *same* request with the *same* `externalTrxId` is the question. The
platform charges an id once, and says `S1000` or `E1379` of one that it charged. Where the page is
silent:

* An answer names no sum; a charge is always the whole sum that was asked for.
* `S1000` without `internalTrxId` is UNKNOWN: the repetition brings `E1379`. That one may name no
  id at all, and then our own, which the platform completed, stands for the movement.
* 5xx, HTML, an unreadable 200 and silence are "unknown": the first request's leave the payment
  AUTHORIZED, a repetition's leave it as it is.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from core.money import CURRENCY
from core.providers import Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Outcome, Verdict
from payments.gateways.carriers.base import SLUG, Begun, Charge
from payments.gateways.carriers.caas import (
    CHARGED,
    CHARGED_BEFORE,
    FAILED_IF_REPEATED,
    CaasAccount,
    Reply,
    refusal,
)


@dataclass(frozen=True, slots=True)
class Bdapps:
    slug: ClassVar[str] = "bdapps"
    label: ClassVar[str] = "Robi or Airtel"
    prefixes: ClassVar[tuple[str, ...]] = ("88018", "88016")
    sends_password: ClassVar[bool] = False

    account: CaasAccount

    def begin(self, external_id: str, subscriber: str, amount: Decimal) -> Begun:
        """Not there: a one-off charge needs the merchant's own password (section 3, "Consent")."""
        del external_id, subscriber, amount
        raise Misconfigured(SLUG, "bdapps sends no password")

    def charge(self, charge: Charge, password: str) -> Verdict:
        del password  # it was ours, and is checked
        reply = self._debit(charge, repeatable=False)
        verdict = self._judge(reply, charge)
        if verdict is None or verdict.outcome is Outcome.UNKNOWN:
            raise OutcomeUnknown(SLUG, reply.summary or "unclear answer", raw_code=reply.code)
        return verdict

    def ask(self, charge: Charge) -> Verdict:
        reply = self._debit(charge, repeatable=True)
        if not reply.code:
            raise Unavailable(SLUG, "unreadable answer")
        if reply.code in FAILED_IF_REPEATED:
            return Verdict(Outcome.FAILED, reason=reply.summary, evidence=reply.evidence())
        unclear = Verdict(Outcome.UNKNOWN, reason=f"the repetition answered {reply.summary}")
        return self._judge(reply, charge) or unclear

    def _debit(self, charge: Charge, *, repeatable: bool) -> Reply:
        body = self.account.debit(charge.external_id, charge.consent.subscriber, charge.amount)
        return self.account.call(
            "/caas/direct/debit", body | {"currency": CURRENCY}, repeatable=repeatable
        )

    def _judge(self, reply: Reply, charge: Charge) -> Verdict | None:
        named, internal = reply.text("externalTrxId"), reply.text("internalTrxId")
        if named and named != charge.external_id:
            return Verdict(Outcome.FOREIGN, reason="an answer about another externalTrxId")
        if reply.code == CHARGED_BEFORE:
            return self._paid(reply, charge, internal or charge.external_id)
        if reply.code == CHARGED:
            if named and internal:
                return self._paid(reply, charge, internal)
            return Verdict(Outcome.UNKNOWN, reason="charged, without the platform's id")
        return refusal(reply)

    def _paid(self, reply: Reply, charge: Charge, transaction: str) -> Verdict:
        return Verdict(
            Outcome.PAID,
            amount=charge.amount,
            gateway_transaction_id=transaction,
            reason=reply.summary,
            evidence=reply.evidence(),
        )
