"""Nagad's remote payment gateway 1.0, API version v-0.2.0 (contract page nagad).

Where the page is silent or says two things:

* `orderId` (section 3) is our reference without its dashes. The callback address carries the
  reference in its path and ends in `/`.
* `X-KM-IP-V4` (section 1) is the customer's own address where one opens a session; where it is
  not known, or of IPv6, and where the shop asks by itself it is `NAGAD_CLIENT_IP`.
* Refusals (section 7): the literal reasons are not public, so the words of their classes are
  looked for. A reason of no class decides nothing.
* An answer to initialize that Nagad has not signed, or not for us, is Misconfigured: the try
  fails and an alert is raised. After a refund the same is an unknown outcome.
* `Cancelled` (section 6) is the payer's, unless `cancelIssuerRefNo` says that money was given
  back; then it is REFUNDED, as are the other three words for that.
* A payment without a `paymentReferenceId` has FAILED: its page was never shown to anybody.
* No answer names a currency: it is the one we signed in complete, 050.
* Refunds (section 8): verify alone tells of them, and of the last one only. Whether its id is in
  the form of an earlier `cancelTrxId` is not known, so an unknown id after earlier refunds
  decides nothing.
"""

import ipaddress
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

import requests
from django.utils import timezone

from core.db import durable
from core.http import Answer, Outbound
from core.money import taka
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from core.wire import plain_text, required_setting
from payments.gateways.base import (
    Claim,
    Known,
    Outcome,
    RefundAnswer,
    RefundRequest,
    RefundState,
    Session,
    SessionRequest,
    Verdict,
)
from payments.gateways.nagad_crypto import LONGEST, SLUG, BadSeal, Keys, plaintext
from payments.gateways.nagad_reading import (
    OUR_FAULT,
    check_firewall,
    judged,
    paid_amount,
    reason_of,
    refunded,
    refusal,
    summary_of,
    traced,
)
from payments.gateways.pages import is_page_on

DHAKA: Final = ZoneInfo("Asia/Dhaka")
VERSION: Final = "v-0.2.0"
TAKA: Final = "050"
_ORDER_ID: Final = re.compile(r"BDV(\d{8})(\d{1,4})", re.ASCII)
_REFERENCE: Final = re.compile(r"BDV-\d{8}-\d{1,4}", re.ASCII)
_PAYMENT: Final = re.compile(r"[A-Za-z0-9+/=_.-]{1,120}")
_LEAST_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class NagadGateway:
    """The merchant's id and keys, and the calls made with them."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    base_url: str
    page_host: str
    merchant_id: str
    client_ip: str
    keys: Keys = field(repr=False)

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            base_url=required_setting(SLUG, "NAGAD_BASE_URL").rstrip("/"),
            page_host=required_setting(SLUG, "NAGAD_PAGE_HOST").lower(),
            merchant_id=required_setting(SLUG, "NAGAD_MERCHANT_ID"),
            client_ip=required_setting(SLUG, "NAGAD_CLIENT_IP"),
            keys=Keys.read(
                required_setting(SLUG, "NAGAD_MERCHANT_PRIVATE_KEY"),
                required_setting(SLUG, "NAGAD_GATEWAY_PUBLIC_KEY"),
            ),
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Initialize, then complete (sections 3 and 4), both within one answer's time."""
        payers = _ipv4(request.customer_address) or self.client_ip
        if payers != self.client_ip:
            return replace(self, client_ip=payers).open_session(request)
        until = time.monotonic() + self.out.answer_seconds
        payment, challenge = self._initialize(order_id(request.reference))
        rest = max(_LEAST_SECONDS, until - time.monotonic())
        page = self._complete(request, payment, challenge, answer_seconds=rest)
        return Session(redirect_url=page, gateway_reference=payment)

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """Our reference in the path, else the order or payment named (section 5); unsigned."""
        del body, content_type  # Nagad puts nothing there
        ours, order = query.get("reference", ""), query.get("order_id", "")
        if _REFERENCE.fullmatch(ours):
            return Claim(reference=ours)
        if named := _ORDER_ID.fullmatch(order):
            return Claim(reference=f"BDV-{named[1]}-{named[2]}")
        payment = query.get("payment_ref_id", "")
        return Claim(gateway_reference=payment) if _PAYMENT.fullmatch(payment) else Claim()

    @durable
    def verify(self, known: Known) -> Verdict:
        """Section 6, the authority; whoever knows the reference may ask, so all is compared."""
        if not known.gateway_reference:
            return Verdict(Outcome.FAILED, reason="the payment page was never opened")
        body = self._asked(known)
        if "status" not in body:
            return Verdict(Outcome.UNKNOWN, reason=f"verify answered {summary_of(body)}")
        if wrong := self._wrong(body, known):
            return wrong
        return judged(body)

    @durable
    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Section 8, full or in part."""
        sealed, signature = self.keys.seal(self._cancellation(request))
        answer = self._post(
            f"purchase/cancel?paymentRefId={_quoted(request.payment)}",
            {"sensitiveDataCancelRequest": sealed, "signature": signature},
        )
        body = answer.json() or {}
        if "sensitiveData" not in body:
            raise refusal(answer)
        try:
            done = self.keys.opened(body)
        except BadSeal as exc:  # it may be done all the same
            raise OutcomeUnknown(SLUG, f"an answer to refund that is {exc}") from exc
        return refunded(done, request)

    @durable
    def query_refund(self, request: RefundRequest) -> RefundAnswer:
        """There is no call of its own: verify shows `cancelIssuerRefNo` or a refunded state."""
        body = self._asked(request.payment)
        if "status" not in body or self._wrong(body, request.payment):
            return RefundAnswer(RefundState.UNKNOWN, reason=f"verify answered {summary_of(body)}")
        return traced(body, request)

    # The calls.

    def _initialize(self, order: str) -> tuple[str, str]:
        """The payment's reference and the challenge to send back."""
        moment = timezone.now().astimezone(DHAKA).strftime("%Y%m%d%H%M%S")
        sealed, signature = self.keys.seal(
            {
                "merchantId": self.merchant_id,
                "datetime": moment,
                "orderId": order,
                "challenge": secrets.token_hex(20),
            }
        )
        answer = self._post(
            f"check-out/initialize/{quote(self.merchant_id, safe='')}/{order}",
            {"dateTime": moment, "sensitiveData": sealed, "signature": signature},
        )
        body = answer.json() or {}
        if "sensitiveData" not in body:
            raise refusal(answer)
        try:
            started = self.keys.opened(body)
        except BadSeal as exc:
            raise Misconfigured(SLUG, f"an answer to initialize that is {exc}") from exc
        payment, challenge = started.get("paymentReferenceId"), started.get("challenge")
        if not isinstance(payment, str) or not _PAYMENT.fullmatch(payment) or not challenge:
            raise OutcomeUnknown(SLUG, "an answer that starts no payment")
        return payment, plain_text(challenge)

    def _complete(
        self, request: SessionRequest, payment: str, challenge: str, *, answer_seconds: float
    ) -> str:
        """The address of the page; "Success" here means no more than that there is one."""
        try:
            sealed, signature = self.keys.seal(
                {
                    "merchantId": self.merchant_id,
                    "orderId": order_id(request.reference),
                    "currencyCode": TAKA,
                    "amount": str(taka(request.amount)),
                    "challenge": challenge,
                }
            )
        except ValueError as exc:
            raise Declined(SLUG, f"their challenge is too long: {exc}") from exc
        answer = self._post(
            f"check-out/complete/{quote(payment, safe='')}",
            {
                "sensitiveData": sealed,
                "signature": signature,
                "merchantCallbackURL": f"{request.callback_url}/{request.reference}/",
                "additionalMerchantInfo": {},
            },
            answer_seconds=answer_seconds,
        )
        body = answer.json() or {}
        page = body.get("callBackUrl")
        if plain_text(body.get("status")).lower() != "success" or not isinstance(page, str):
            raise refusal(answer)
        if not is_page_on(page, self.page_host, plain=self.base_url.startswith("http://")):
            raise Misconfigured(SLUG, "callBackUrl is not on NAGAD_PAGE_HOST")
        return page

    def _cancellation(self, request: RefundRequest) -> dict[str, str]:
        """The plaintext of a refund, its message cut to what one block still carries."""
        paid = plain_text(request.evidence.get("issuerPaymentDateTime"))[:10].replace("-", "")
        members = {
            "merchantId": self.merchant_id,
            "originalRequestDate": paid or f"{request.paid_at.astimezone(DHAKA):%Y%m%d}",
            "originalAmount": str(taka(paid_amount(request))),
            "cancelAmount": str(taka(request.amount)),
            "referenceNo": re.sub("[^A-Za-z0-9]", "", request.reference),
            "referenceMessage": "",
        }
        message = re.sub("[^A-Za-z0-9 .,-]", "", request.reason).strip() or "refund"
        return members | {"referenceMessage": message[: LONGEST - len(plaintext(members))]}

    def _asked(self, known: Known) -> Mapping[str, Any]:
        """Verify's answer, which is an object.

        Raises:
            Unavailable: it is not; ask again.
            Misconfigured: our address or our settings are refused.
        """
        url = f"{self.base_url}/verify/payment/{_quoted(known)}"
        request = requests.Request("GET", url, headers=self._headers())
        answer = self.out.send(request, repeatable=True)
        check_firewall(answer)
        body = answer.json()
        if body is None:
            raise Unavailable(SLUG, "unreadable answer", raw_code=str(answer.status))
        if "status" not in body and OUR_FAULT.search(reason_of(body)):
            raise Misconfigured(SLUG, summary_of(body), raw_code=reason_of(body)[:40])
        return body

    def _post(
        self, path: str, body: Mapping[str, Any], *, answer_seconds: float | None = None
    ) -> Answer:
        url = f"{self.base_url}/{path}"
        request = requests.Request("POST", url, headers=self._headers(), json=dict(body))
        seconds = answer_seconds or self.out.answer_seconds
        answer = replace(self.out, answer_seconds=seconds).send(request, repeatable=False)
        check_firewall(answer)
        return answer

    def _headers(self) -> dict[str, str | bytes]:
        return {
            "X-KM-Api-Version": VERSION,
            "X-KM-IP-V4": self.client_ip,
            "X-KM-Client-Type": "PC_WEB",
            "X-KM-MC-Id": self.merchant_id,
        }

    def _wrong(self, body: Mapping[str, Any], known: Known) -> Verdict | None:
        """What keeps an answer from being about this payment; that comes before what it says."""
        wanted = {
            "merchantId": self.merchant_id,
            "orderId": order_id(known.reference),
            "paymentRefId": known.gateway_reference,
        }
        said = {name: plain_text(body.get(name)) for name in wanted}
        if not all(said.values()):
            return Verdict(Outcome.UNKNOWN, reason="an answer that names no payment")
        if said != wanted:
            return Verdict(Outcome.FOREIGN, reason="an answer about another payment")
        return None


def order_id(reference: str) -> str:
    """Letters and digits, up to 20 (section 3)."""
    return reference.replace("-", "")


def _ipv4(address: str) -> str:
    """The address, if the header can carry it."""
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        return ""


def _quoted(known: Known) -> str:
    return quote(known.gateway_reference, safe="")
