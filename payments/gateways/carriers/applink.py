"""Applink CaaS, Banglalink (contract page dcb, section 4): a password, then a notification.

The right password authorises; only the platform's notification confirms, and no query call
exists. It is unsigned, so it is believed only from the platform's own addresses
(`DCB_NOTIFICATION_SENDERS`), and only if it names the `internalTrxId` that the first step gave
us. Where the page is silent:

* `sourceAddress` of the password call is the subscriber.
* The paid sum is `paidAmount`; below `TotalAmount` (or with a `balanceDue`) it is a wrong sum,
  which is held for a person.
* E1852 ("used") means that a call of ours arrived before: authorised. E1851 (expired) is
  CANCELLED, E1853 (too many) and E1855 (reference unknown) are FAILED: nothing can be charged.
* Of several notifications the first that says "charged" counts; a refusal before it does not.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from core.money import CURRENCY
from core.providers import Declined, OutcomeUnknown
from core.wire import exact_amount, plain_text
from payments.gateways.base import Outcome, Verdict
from payments.gateways.carriers.base import SLUG, Begun, Charge, WrongCode
from payments.gateways.carriers.caas import (
    CHARGED,
    FAILED_IF_REPEATED,
    PASSWORD_SENT,
    CaasAccount,
    Reply,
    refusal,
)

EXPIRED, USED, WRONG = "E1851", "E1852", "E1850"
OVER = frozenset({"E1853", "E1855"})


@dataclass(frozen=True, slots=True)
class Applink:
    slug: ClassVar[str] = "applink"
    label: ClassVar[str] = "Banglalink"
    prefixes: ClassVar[tuple[str, ...]] = ("88019", "88014")
    sends_password: ClassVar[bool] = True

    account: CaasAccount

    def begin(self, external_id: str, subscriber: str, amount: Decimal) -> Begun:
        """Step 1: `P1003`, nothing is charged, a password is on its way. Never repeated."""
        body = self.account.debit(external_id, subscriber, amount) | {"Currency": CURRENCY}
        reply = self.account.call("/caas/direct/debit", body, repeatable=False)
        begun = Begun(reply.text("requestCorrelator"), reply.text("internalTrxId"))
        ours = reply.text("externalTrxId") in ("", external_id)
        if reply.code == PASSWORD_SENT and begun.correlator and begun.internal_id and ours:
            return begun
        if refusal(reply) is not None:
            raise Declined(SLUG, reply.summary, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, reply.summary or "unclear answer", raw_code=reply.code)

    def charge(self, charge: Charge, password: str) -> Verdict:
        """Step 2: the password is handed on; a charge may run from then on."""
        body = {
            "referenceNo": charge.consent.correlator,
            "otp": password,
            "sourceAddress": charge.consent.subscriber,
        }
        reply = self.account.call("/caas/otp/verify", body, repeatable=False)
        if reply.code in (CHARGED, USED):
            reason = "the password was accepted; the operator is to confirm"
            return Verdict(Outcome.AUTHORIZED, amount=charge.amount, reason=reason)
        if reply.code in (WRONG, "E1856"):
            raise WrongCode(SLUG, reply.summary, raw_code=reply.code)
        if reply.code == EXPIRED:
            return Verdict(Outcome.CANCELLED, reason=reply.summary)
        if reply.code in OVER:
            return Verdict(Outcome.FAILED, reason=reply.summary)
        refused = refusal(reply)
        if refused is None:
            raise OutcomeUnknown(SLUG, reply.summary or "unclear answer", raw_code=reply.code)
        return refused

    def ask(self, charge: Charge) -> Verdict:
        """What the stored notifications say; nobody is called."""
        ours = [each for each in _read(charge.consent.notices) if _about(each, charge)]
        verdicts = [_judge(each, charge) for each in ours]
        paid = (each for each in verdicts if each.outcome is Outcome.PAID)
        waiting = Verdict(Outcome.PENDING, reason="the operator has not confirmed yet")
        return next(paid, verdicts[-1] if verdicts else waiting)


def _read(notices: Iterable[str]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for body in notices:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(parsed, dict):
            found.append(parsed)
    return found


def _about(notice: Mapping[str, Any], charge: Charge) -> bool:
    internal = charge.consent.internal_id
    names = plain_text(notice.get("externalTrxId")), plain_text(notice.get("internalTrxId"))
    return bool(internal) and names == (charge.external_id, internal)


def _judge(notice: Mapping[str, Any], charge: Charge) -> Verdict:
    reply = Reply(notice)
    more = ("timeStamp", "TotalAmount", "paidAmount", "balanceDue", "currency")
    evidence = reply.evidence() | {name: reply.text(name) for name in more if name in notice}
    if reply.code == CHARGED:
        paid, due = exact_amount(notice.get("paidAmount")), exact_amount(notice.get("balanceDue"))
        currency = reply.text("currency")
        if paid is None or not currency:
            reason = "charged, without a readable sum"
            return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
        reason = f"{reply.summary}; {due} BDT are still due" if due else reply.summary
        return Verdict(
            Outcome.PAID,
            amount=paid,
            currency=currency,
            gateway_transaction_id=charge.consent.internal_id,
            reason=reason,
            evidence=evidence,
        )
    refused = refusal(reply)
    if refused is not None:
        # After the payer's consent every no of the operator is a failure, not a change of mind.
        return Verdict(Outcome.FAILED, reason=reply.summary, evidence=evidence)
    if reply.code in FAILED_IF_REPEATED:  # nobody repeats it: the platform itself has ended it
        return Verdict(Outcome.FAILED, reason=reply.summary, evidence=evidence)
    return Verdict(Outcome.UNKNOWN, reason=f"notified: {reply.summary}", evidence=evidence)
