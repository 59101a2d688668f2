"""Direct carrier billing: one state machine over the operators' adapters (contract page dcb).

The payer names a number and types a password on our own page (`payments.carrier`); the operator
is found by the number. Nothing is charged without that consent. In our words:

| contract, section 2 | here |
|---|---|
| created, consent_pending | payment PENDING, no charge was sent |
| consent_given, charging | a charge is claimed (`capture_sent_at`) and sent once |
| unknown; Applink's "accepted" | AUTHORIZED, order CARRIER_AUTHORIZED: nobody pays a second time |
| paid, failed, cancelled | SUCCEEDED, FAILED, CANCELLED |
| partial | AMOUNT_MISMATCH, held |

One `externalTrxId` per payment, our reference without its dashes: a repetition has the same, and
another one is only given to another payment. No operator has a public refund call, so there is
none here: a refund is a task for a person.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import ClassVar, Final, Self
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.urls import reverse

from core.db import durable
from core.http import Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown
from core.wire import required_setting
from payments.gateways.base import Claim, Known, Outcome, Session, SessionRequest, Verdict
from payments.gateways.carriers.applink import Applink
from payments.gateways.carriers.base import PAGE_SALT, SLUG, Begun, Carrier, Charge
from payments.gateways.carriers.bdapps import Bdapps
from payments.gateways.carriers.caas import CaasAccount

CARRIERS: Final = (Bdapps, Applink)
MAX_EXTERNAL: Final = 32
#: Applink's answer to a notification that it need not send again.
REPLY: Final[Mapping[str, str]] = {"statusCode": "S1000", "statusDetail": "Success"}
_EXTERNAL: Final = re.compile(r"BDV([0-9]{8})([0-9]{1,4})")
_MAX_NOTICE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class DcbGateway:
    """Finds the operator, keeps to the state machine; the operators' words are in `carriers`."""

    slug: ClassVar[str] = SLUG

    carriers: Mapping[str, Carrier]
    senders: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        wanted: list[str] = list(settings.DCB_CARRIERS)
        known = {carrier.slug: carrier for carrier in CARRIERS}
        if not wanted or not set(wanted) <= set(known):
            raise Misconfigured(SLUG, f"DCB_CARRIERS must name some of {', '.join(known)}")
        return cls(
            carriers={name: known[name](_account(name, answer_seconds)) for name in wanted},
            senders=tuple(settings.DCB_NOTIFICATION_SENDERS),
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Our own page. The operator is not asked before the payer has named a number."""
        token = signing.dumps(request.reference, salt=PAGE_SALT, compress=False)
        page = urljoin(request.callback_url, reverse("payment-carrier", args=[token]))
        return Session(redirect_url=page, gateway_reference=external_id(request.reference))

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """The `externalTrxId` of a notification (JSON), or of a return (query or our path)."""
        del content_type
        ours = external_id(query.get("reference", ""))
        named = query.get("externalTrxId") or ours or _named(body)
        if isinstance(named, str) and _EXTERNAL.fullmatch(named):
            return Claim(gateway_reference=named)
        return Claim()

    def believes(self, sender: str) -> bool:
        """Whether a notification from this address is the operator's: it is unsigned."""
        try:
            address = ipaddress.ip_address(sender)
            return any(address in ipaddress.ip_network(each) for each in self.senders)
        except ValueError:
            return False

    @durable
    def verify(self, known: Known) -> Verdict:
        """What became of a charge that was sent; before it was, only what the payer has done."""
        consent = known.consent
        if consent is None or not known.execute_sent:
            ready = consent is not None and consent.given
            reason = "consent was given" if ready else "the payer has not consented yet"
            found = Verdict(Outcome.PENDING, reason=reason, evidence={"ready_to_capture": ready})
            # Late money of a charge that was begun: a notification may tell of it all the same.
            if consent is None or not consent.notices:
                return found
            told = self._carrier(consent.carrier).ask(_charge(known))
            return told if told.outcome is Outcome.PAID else found
        verdict = self._carrier(consent.carrier).ask(_charge(known))
        if verdict.outcome is Outcome.CANCELLED:  # after consent it is the operator's no
            return replace(verdict, outcome=Outcome.FAILED)
        return verdict

    def ready_to_capture(self, verdict: Verdict) -> bool:
        """Whether the payer has consented and no charge was sent yet."""
        waiting = verdict.outcome is Outcome.PENDING
        return waiting and verdict.evidence.get("ready_to_capture") is True

    @durable
    def capture(self, known: Known, password: str = "") -> Verdict:
        """The charge itself. What is unclear afterwards is AUTHORIZED, and asked about.

        Raises:
            WrongCode, Unavailable, Misconfigured: surely nothing was charged.
        """
        charge = _charge(known)
        try:
            return self._carrier(charge.consent.carrier).charge(charge, password)
        except OutcomeUnknown as exc:
            reason = f"the charge was sent; {exc.message}; the operator is to confirm"
            return Verdict(Outcome.AUTHORIZED, amount=known.amount, reason=reason)

    # What our own page needs.

    def carrier_of(self, msisdn: str) -> Carrier:
        """
        Raises:
            Declined: no operator of ours has such numbers.
        """
        for carrier in self.carriers.values():
            if msisdn.startswith(carrier.prefixes):
                return carrier
        labels = ", ".join(carrier.label for carrier in self.carriers.values())
        raise Declined(SLUG, f"only numbers of {labels} can be charged")

    @durable
    def begin(self, known: Known, carrier: str, subscriber: str) -> Begun:
        """Let the operator send its password; see `Carrier.begin`."""
        external = external_id(known.reference)
        return self._carrier(carrier).begin(external, subscriber, known.amount)

    def _carrier(self, slug: str) -> Carrier:
        try:
            return self.carriers[slug]
        except KeyError:
            raise Misconfigured(SLUG, f"{slug} is not among DCB_CARRIERS") from None


def external_id(reference: str) -> str:
    """`BDV-48213377-1` as `BDV482133771`: letters and digits, at most 32."""
    return reference.replace("-", "")[:MAX_EXTERNAL]


def _charge(known: Known) -> Charge:
    if known.consent is None:
        raise Misconfigured(SLUG, "a charge without consent")
    amount: Decimal = known.amount
    return Charge(external_id(known.reference), amount, known.consent)


def _account(name: str, answer_seconds: float) -> CaasAccount:
    prefix = f"DCB_{name.upper()}"
    return CaasAccount(
        name=SLUG,
        out=Outbound(SLUG, answer_seconds=answer_seconds),
        base_url=required_setting(SLUG, f"{prefix}_BASE_URL").rstrip("/"),
        application_id=required_setting(SLUG, f"{prefix}_APP_ID"),
        password=required_setting(SLUG, f"{prefix}_PASSWORD"),
        instrument=required_setting(SLUG, f"{prefix}_INSTRUMENT"),
    )


def _named(body: bytes) -> object:
    if len(body) > _MAX_NOTICE:
        return None
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed.get("externalTrxId") if isinstance(parsed, dict) else None
