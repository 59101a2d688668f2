"""bKash tokenized checkout 1.2.0-beta, payment without agreement (contract page bkash).

Where the page is silent or says two things:

* Tokens (section 2): one for all processes, in the cache, renewed at five sixths of its life.
  Two slots that come free after an hour count the calls. The code of a blocked call is not
  public: 429, and any refusal that names neither credentials nor maintenance, is taken for the
  block and ends all token calls for an hour. Refused credentials are not tried again either.
* Execute (section 5, README "execute"): ready only while the query says `Initiated` and
  `Complete` for exactly our sum, and never once execute was sent. A documented refusal counts in
  both error shapes, also with HTTP 4xx; everything else is asked about by query, 2003 too.
* `Authorized` is UNKNOWN, since we never ask for that intent; so is any other status.
* A payment without a paymentID has FAILED: its page was never shown, and only our own execute
  moves money.
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import requests
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from core.db import durable
from core.http import Answer, Outbound
from core.money import CURRENCY, taka
from core.providers import Declined, Misconfigured, OutcomeUnknown, Unavailable
from payments.gateways.base import Claim, Known, Outcome, Session, SessionRequest, Verdict

SLUG: Final = "bkash"
DONE: Final = "0000"
STALE: Final = "2079"
#: Contract page bkash, section 8, the table of classes.
REFUSED: Final = frozenset(map(str, [*range(2006, 2020), 2023, 2029, *range(2057, 2061), 2069]))
OUR_FAULT: Final = frozenset(map(str, [2001, 2043, 2049, *range(2063, 2068), 2079, 2118]))
ASK: Final = frozenset({"2003", "2056", "2062", "2068", "2116", "2117", "2119"})
MAINTENANCE: Final = frozenset({"503", "2020", "2024"})
#: By the table of codes these refuse the new payment we describe.
REFUSED_AT_CREATE: Final = REFUSED | {"2025", "2031", "2032", "2047", "2048"}
#: What an operator may see of an answer: nothing of the payer.
EVIDENCE: Final = re.compile(
    "(transaction|verification)Status|trxID|amount|currency|payment(Create|Execute)Time"
)
HOUR: Final = 3600
_LATE: Final = 30  # a call reaches bKash after its slot was taken: seconds on the safe side
_AMOUNT: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2}0*)?")
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: https, or http to a loopback address; no user info, no backslash.
_ADDRESS: Final = re.compile(
    r"(https://[A-Za-z0-9.-]+|http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\]))(:[0-9]+)?"
    r"([/?#][!-\[\]-~]{0,900})?"
)


@dataclass(frozen=True, slots=True)
class Account:
    """The four credentials of one environment."""

    base_url: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)

    def url(self, call: str) -> str:
        return f"{self.base_url}/tokenized/checkout/{call}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in one of the shapes of section 8."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    readable: bool

    @classmethod
    def of(cls, answer: Answer) -> Self:
        body = answer.json()
        return cls(answer.status, body or {}, readable=body is not None)

    @property
    def done(self) -> bool:
        """`statusCode` "0000" as text, HTTP 200, and not the front gateway's `message`."""
        clear = self.status == HTTPStatus.OK and "message" not in self.body
        return clear and self.body.get("statusCode") == DONE

    @property
    def code(self) -> str:
        names = ("statusCode", "errorCode")
        return next((text for name in names if (text := _text(self.body.get(name), 40))), "")

    @property
    def summary(self) -> str:
        names = ("statusMessage", "errorMessage", "errorMessageEn")
        words = next((text for name in names if (text := _text(self.body.get(name)))), "")
        return f"{self.code or self.status} {words}".strip()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The one token of an app credential, shared by all processes (section 2)."""

    out: Outbound = field(repr=False)
    account: Account

    def current(self, *, bad: str = "") -> str:
        """A token other than the `bad` one, renewed by one process at a time.

        Raises:
            Unavailable: the hour's calls are spent or blocked; no call was made.
            Misconfigured: the credentials are refused.
        """
        try:
            return self._wait(bad)
        except RedisError as exc:  # without the count a call could block us for an hour
            raise Unavailable(SLUG, "the store of tokens does not answer") from exc

    def _wait(self, bad: str) -> str:
        until = time.monotonic() + self.out.answer_seconds
        me, lock = uuid.uuid4().hex, self._key("lock")
        while True:
            kept = self._kept(bad)
            if kept and time.time() < kept["renew_at"]:
                return str(kept["id_token"])
            if cache.add(lock, me, timeout=3 * self.out.answer_seconds + _LATE):
                try:
                    return self._renew(bad)
                finally:
                    if cache.get(lock) == me:
                        cache.delete(lock)
            if kept:
                return str(kept["id_token"])
            if time.monotonic() > until:
                raise Unavailable(SLUG, "the token is being renewed", retry_after=1)
            time.sleep(0.05)

    def _kept(self, bad: str) -> dict[str, Any] | None:
        kept: dict[str, Any] | None = cache.get(self._key("token"))
        usable = kept and kept["id_token"] != bad and time.time() < kept["expires_at"]
        return kept if usable else None

    def _renew(self, bad: str) -> str:
        kept = self._kept(bad)
        if kept and time.time() < kept["renew_at"]:
            return str(kept["id_token"])  # somebody was quicker
        try:
            if kept and kept["refresh_token"]:
                try:
                    return self._ask("refresh", {"refresh_token": kept["refresh_token"]})
                except (Declined, Misconfigured):
                    pass  # refresh refused: grant, section 2
            return self._ask("grant", {})
        except Unavailable:
            if kept:
                return str(kept["id_token"])  # good for some minutes more
            raise

    def _ask(self, call: str, more: Mapping[str, str]) -> str:
        if cache.get(self._key("blocked")):
            raise Unavailable(SLUG, "token calls are blocked", retry_after=HOUR)
        if cache.get(self._refused_key()):
            raise Misconfigured(SLUG, "credentials refused within the last hour")
        self._take_slot()
        account = self.account
        request = requests.Request(
            "POST",
            account.url(f"token/{call}"),
            headers={"username": account.username, "password": account.password},
            json={"app_key": account.app_key, "app_secret": account.app_secret, **more},
        )
        try:
            return self._keep(Reply.of(self.out.send(request, repeatable=True)), call)
        except Unavailable as exc:
            if exc.raw_code == str(int(HTTPStatus.TOO_MANY_REQUESTS)):
                cache.set(self._key("blocked"), 1, timeout=HOUR + _LATE)
            raise
        except Misconfigured:
            if call == "grant":
                cache.set(self._refused_key(), 1, timeout=HOUR)
            raise

    def _take_slot(self) -> None:
        slots = [self._key("call1"), self._key("call2")]
        if not any(cache.add(slot, time.time(), timeout=HOUR + _LATE) for slot in slots):
            first = min(cache.get_many(slots).values(), default=time.time())
            wait = max(first + HOUR + _LATE - time.time(), 1)
            raise Unavailable(SLUG, "two token calls were made this hour", retry_after=wait)

    def _keep(self, reply: Reply, call: str) -> str:
        token = reply.body.get("id_token")
        if reply.done and isinstance(token, str) and token:
            said = _text(reply.body.get("expires_in"))
            life = min(int(said), 24 * HOUR) if re.fullmatch("[0-9]{1,6}", said) else HOUR
            record = {
                "id_token": token,
                "refresh_token": reply.body.get("refresh_token") or "",
                "renew_at": time.time() + life * 5 / 6,
                "expires_at": time.time() + life,
            }
            cache.set(self._key("token"), record, timeout=life)
            return token
        if call == "refresh" and reply.code:
            raise Declined(SLUG, "refresh refused", raw_code=reply.code)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, "credentials refused", raw_code=reply.code)
        if reply.code not in MAINTENANCE | {"", DONE}:
            cache.set(self._key("blocked"), 1, timeout=HOUR + _LATE)
        raise Unavailable(SLUG, "no token", raw_code=reply.code)

    def _key(self, name: str) -> str:
        app = sha256(f"{self.account.base_url}\n{self.account.app_key}".encode()).hexdigest()
        return f"bkash:{app[:24]}:{name}"

    def _refused_key(self) -> str:
        """Other credentials are tried at once, these ones not."""
        account = self.account
        secrets = f"{account.app_secret}\n{account.username}\n{account.password}"
        return self._key(f"refused:{salted_hmac('payments.bkash', secrets).hexdigest()[:24]}")


@dataclass(frozen=True, slots=True)
class BkashGateway:
    """Create, query, and one execute per payment."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    account: Account

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            account=Account(
                base_url=_setting("BKASH_BASE_URL").rstrip("/"),
                app_key=_setting("BKASH_APP_KEY"),
                app_secret=_setting("BKASH_APP_SECRET"),
                username=_setting("BKASH_USERNAME"),
                password=_setting("BKASH_PASSWORD"),
            ),
        )

    @durable
    def open_session(self, request: SessionRequest) -> Session:
        """Section 3. The payer's number, if known, is already filled in on bKash's page."""
        letters = re.sub("[^A-Za-z0-9]", "", request.reference)
        order = {
            "mode": "0011",
            "payerReference": request.customer_msisdn.removeprefix("88") or letters,
            "callbackURL": request.callback_url,
            "amount": str(taka(request.amount)),
            "currency": CURRENCY,
            "intent": "sale",
            "merchantInvoiceNumber": request.reference,
        }
        reply = self._call("create", order, repeatable=False)
        if reply.done:
            return _session(reply.body, request.reference)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if reply.code in REFUSED_AT_CREATE:
            raise Declined(SLUG, reply.summary, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, "unclear answer", raw_code=reply.code)

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """The `paymentID` of the browser's GET (section 4); its `status` proves nothing."""
        del body, content_type  # bKash puts nothing there
        named = query.get("paymentID")
        known = isinstance(named, str) and _ID.fullmatch(named)
        return Claim(gateway_reference=str(named)) if known else Claim()

    @durable
    def verify(self, known: Known) -> Verdict:
        """Section 6."""
        if not known.gateway_reference:
            return Verdict(Outcome.FAILED, reason="the payment page was never opened")
        payment = {"paymentID": known.gateway_reference}
        reply = self._call("payment/status", payment, repeatable=True)
        if reply.done:
            return _judge(reply.body, known)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reply.summary, raw_code=reply.code)
        if not reply.readable:
            raise Unavailable(SLUG, "unreadable answer", raw_code=str(reply.status))
        return Verdict(Outcome.UNKNOWN, reason=f"the query answered {reply.summary}")

    def ready_to_capture(self, verdict: Verdict) -> bool:
        """Whether `verify` saw a payer's confirmation of our sum and no execute was sent yet."""
        waiting = verdict.outcome is Outcome.PENDING
        return waiting and verdict.evidence.get("ready_to_capture") is True

    @durable
    def capture(self, known: Known) -> Verdict:
        """Execute, section 5: never repeated by us but after a refused token, which did nothing.

        Raises:
            OutcomeUnknown: no clear answer; only the query may follow.
            Unavailable, Misconfigured: surely not executed.
        """
        payment = {"paymentID": known.gateway_reference}
        reply = self._call("execute", payment, repeatable=False)
        if reply.done:
            return _judge(reply.body, replace(known, execute_sent=True))
        reason = f"execute answered {reply.summary}"
        if reply.code in ASK:
            return Verdict(Outcome.PENDING, reason=f"{reason}: the query decides")
        if reply.code in REFUSED:
            return Verdict(Outcome.FAILED, reason=reason)
        if reply.code in OUR_FAULT:
            raise Misconfigured(SLUG, reason, raw_code=reply.code)
        raise OutcomeUnknown(SLUG, "unclear answer to execute", raw_code=reply.code)

    def _call(self, call: str, body: Mapping[str, str], *, repeatable: bool) -> Reply:
        tokens = Tokens(self.out, self.account)
        token = tokens.current()
        try:
            reply = self._send(call, body, token, repeatable=repeatable)
        except Misconfigured as exc:
            if exc.raw_code != str(int(HTTPStatus.UNAUTHORIZED)):
                raise
        else:
            if reply.code != STALE:
                return reply
        # A refused token did nothing, not even an execute: once more with a new one.
        return self._send(call, body, tokens.current(bad=token), repeatable=repeatable)

    def _send(self, call: str, body: Mapping[str, str], token: str, *, repeatable: bool) -> Reply:
        request = requests.Request(
            "POST",
            self.account.url(call),
            headers={"Authorization": token, "X-APP-Key": self.account.app_key},
            json=dict(body),
        )
        return Reply.of(self.out.send(request, repeatable=repeatable))


def _session(body: Mapping[str, Any], reference: str) -> Session:
    payment, page = body.get("paymentID"), body.get("bkashURL")
    if not (isinstance(payment, str) and _ID.fullmatch(payment) and isinstance(page, str)):
        raise OutcomeUnknown(SLUG, "an answer that opens no page")
    if body.get("merchantInvoiceNumber") not in (None, reference):
        raise OutcomeUnknown(SLUG, "an answer about another invoice")
    if not _ADDRESS.fullmatch(page):
        raise Misconfigured(SLUG, "bkashURL is not an https address")
    return Session(redirect_url=page, gateway_reference=payment)


def _judge(body: Mapping[str, Any], known: Known) -> Verdict:
    """Section 6: which payment the answer is about comes before what it says."""
    invoices = {_text(body.get(name)) for name in ("merchantInvoice", "merchantInvoiceNumber")}
    payment = _text(body.get("paymentID"))
    if not payment or invoices == {""}:
        return Verdict(Outcome.UNKNOWN, reason="an answer without paymentID or invoice")
    if payment != known.gateway_reference or invoices - {""} != {known.reference}:
        return Verdict(Outcome.FOREIGN, reason="an answer about another payment")
    status, amount = _text(body.get("transactionStatus")), _amount(body.get("amount"))
    evidence: dict[str, Any] = {
        name: _text(body[name]) for name in body if EVIDENCE.fullmatch(name)
    }
    reason = f"transactionStatus {status!r}"
    if status == "Initiated":
        confirmed = body.get("verificationStatus") == "Complete"
        ours = amount == known.amount and body.get("currency") == CURRENCY
        evidence["ready_to_capture"] = confirmed and ours and not known.execute_sent
        return Verdict(Outcome.PENDING, reason=reason, evidence=evidence)
    transaction, currency = _text(body.get("trxID"), 100), _text(body.get("currency"))
    if status != "Completed" or amount is None or not transaction or not currency:
        return Verdict(Outcome.UNKNOWN, reason=reason, evidence=evidence)
    return Verdict(
        Outcome.PAID,
        amount=amount,
        currency=currency,
        gateway_transaction_id=transaction,
        reason=reason,
        evidence=evidence,
    )


def _setting(name: str) -> str:
    value = str(getattr(settings, name, "") or "")
    if not value:
        raise Misconfigured(SLUG, f"the setting {name} is missing")
    return value


def _text(value: object, limit: int = 200) -> str:
    """A text or number of theirs as bounded, printable text; empty for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "".join(filter(str.isprintable, str(value)))[:limit].strip()


def _amount(value: object) -> Decimal | None:
    """Taka, exactly as written; None if it is no amount with at most two decimals."""
    text = _text(value)
    return taka(text) if _AMOUNT.fullmatch(text) else None
