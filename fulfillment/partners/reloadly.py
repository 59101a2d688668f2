"""Reloadly gift cards (contract page reloadly).

Our reference is the `customIdentifier`; one piece per order. Where the page is silent or says two
things:

* The report is the only place an order is looked for; 404 or an empty list of cards says nothing
  about it (README "Reloadly: 404"). Identifiers are compared exactly.
* Any refusal is checked in the report first. Found: that order is followed. Not found: a refusal in
  one of Reloadly's JSON shapes is Declined, except for a used identifier, "cannot be processed at
  the moment", and 408, 409 and 425, which stay unknown; so does anything unreadable.
* `SUCCESSFUL` without cards is at work for five minutes from when we first saw it, then held. A
  card with nothing in it is held at once. Of several the first is delivered and a person told.
* `FAILED` is Declined as `REFUNDED` is; that its money is still to come stands in the message.
* `cost` is `balanceInfo.cost` alone: a report's `amount` may be in another currency.
* No `Retry-After` is documented: honoured if it comes; `X-RateLimit-Reset` has no stated unit.
* `offer_id` is the `productId`, `send_value` the `unitPrice`; an input mapped to `userId` goes
  there, other inputs and the customer's address stay here (Reloadly would mail the card itself).
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from core.db import durable
from core.http import Answer, Outbound
from core.providers import Declined, Misconfigured, OutcomeUnknown, ProviderError, Unavailable
from core.wire import Unclear, plain_text, required_setting
from fulfillment.partners import reloadly_answers as answers
from fulfillment.partners.base import Anomaly, AtWork, IssuedCode, Offer
from fulfillment.partners.reloadly_answers import Card, Order
from fulfillment.partners.reloadly_tokens import SLUG, V2, Account, Work

#: Section 1: the window is read in another zone, so it is wide on both sides.
LOOK_BACK: Final = timedelta(days=90)
LOOK_AHEAD: Final = timedelta(days=2)
PAGE_SIZE: Final = 100
PAGES: Final = 5
CARDS_MAY_LAG: Final = 300.0
DAY: Final = 24 * 3600
_REFERENCE: Final = re.compile(r"[A-Za-z0-9]{1,150}")
_PRODUCT: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class ReloadlyPartner:
    """One pair of credentials, live or sandbox, and the calls made with it."""

    slug: ClassVar[str] = SLUG

    out: Outbound = field(repr=False)
    account: Account
    sender_name: str
    cards_may_lag: float = CARDS_MAY_LAG
    """Seconds in which an order may be SUCCESSFUL and have no cards yet."""

    @classmethod
    def from_settings(cls, answer_seconds: float) -> Self:
        return cls(
            out=Outbound(SLUG, answer_seconds=answer_seconds),
            account=Account(
                base_url=required_setting(SLUG, "RELOADLY_BASE_URL").rstrip("/"),
                auth_url=required_setting(SLUG, "RELOADLY_AUTH_URL").rstrip("/"),
                audience=required_setting(SLUG, "RELOADLY_AUDIENCE"),
                client_id=required_setting(SLUG, "RELOADLY_CLIENT_ID"),
                client_secret=required_setting(SLUG, "RELOADLY_CLIENT_SECRET"),
            ),
            sender_name=settings.SHOP_NAME,
        )

    @durable
    def purchase(
        self, *, reference: str, offer: Offer, inputs: Mapping[str, str]
    ) -> IssuedCode | AtWork:
        """Contract page reloadly, section 3. Sent once; a refusal is checked in the report."""
        order, work = self._order(reference, offer, inputs), self._work()
        answer = work.send("POST", "orders", body=order, repeatable=False)
        try:
            said = Order.of(answers.parsed(answer))
        except Unclear as exc:
            refusal = answers.refusal_of(answer)
            if isinstance(refusal, Declined) or answers.USED in refusal.raw_code:
                return self._after_refusal(work, reference, refusal)
            raise OutcomeUnknown(SLUG, refusal.message, raw_code=refusal.raw_code) from exc
        if said.identifier != reference:
            raise OutcomeUnknown(SLUG, "an answer about another order")
        try:
            return self._outcome(work, said)
        except Unclear as exc:
            raise OutcomeUnknown(SLUG, str(exc), raw_code=said.status) from exc

    @durable
    def lookup(self, *, reference: str) -> IssuedCode | AtWork | None:
        """The report by our identifier, section 5; it may lag behind by seconds."""
        return self._look(self._work(), reference)

    def balance(self) -> tuple[Decimal, str]:
        """Section 1."""
        try:
            said = answers.parsed(self._work().send("GET", "accounts/balance"))
        except Unclear as exc:
            raise Unavailable(SLUG, str(exc)) from exc
        if not isinstance(said, dict):
            raise Unavailable(SLUG, "unclear answer to the balance")
        amount = answers.amount(said.get("balance"))
        currency = plain_text(said.get("currencyCode"), 3)
        if amount is None or not currency:
            raise Unavailable(SLUG, "unclear answer to the balance")
        return amount, currency

    def _work(self) -> Work:
        return Work(self.account, self.out)

    def _order(self, reference: str, offer: Offer, inputs: Mapping[str, str]) -> dict[str, Any]:
        if not _REFERENCE.fullmatch(reference):
            raise Misconfigured(SLUG, "a reference is up to 150 letters and digits")
        if not _PRODUCT.fullmatch(offer.offer_id):
            raise Misconfigured(SLUG, f"offer {offer.offer_id[:60]}: a productId is a number")
        if offer.send_value is None or offer.send_value <= 0:
            raise Misconfigured(SLUG, f"offer {offer.offer_id}: it has no send_value")
        order: dict[str, Any] = {
            "productId": int(offer.offer_id),
            "quantity": 1,
            "unitPrice": float(offer.send_value),  # two decimals: written as they are
            "senderName": self.sender_name,
            "customIdentifier": reference,
            "preOrder": False,
        }
        names = offer.extra.get("field_map") or {}
        if user := next((v for k, v in inputs.items() if names.get(k) == "userId"), ""):
            order["productAdditionalRequirements"] = {"userId": user}
        return order

    def _after_refusal(
        self, work: Work, reference: str, refusal: ProviderError
    ) -> IssuedCode | AtWork:
        try:
            found = self._look(work, reference)
        except (Unavailable, Misconfigured) as exc:
            raise OutcomeUnknown(SLUG, refusal.message, raw_code=refusal.raw_code) from exc
        if found is None:
            raise refusal
        return found

    def _look(self, work: Work, reference: str) -> IssuedCode | AtWork | None:
        try:
            found = answers.chosen(self._orders(work, reference))
            return None if found is None else self._outcome(work, found[0], remark=found[1])
        except Unclear as exc:
            raise Unavailable(SLUG, str(exc)) from exc

    def _orders(self, work: Work, reference: str) -> list[Order]:
        """Every order with exactly this identifier; the search itself is loose."""
        now = timezone.now()
        query = {
            "customIdentifier": reference,
            "startDate": f"{now - LOOK_BACK:%Y-%m-%d %H:%M:%S}",
            "endDate": f"{now + LOOK_AHEAD:%Y-%m-%d %H:%M:%S}",
            "size": str(PAGE_SIZE),
        }
        found: list[Order] = []
        for number in range(1, PAGES + 1):
            answer = work.send("GET", "reports/transactions", params=query | {"page": str(number)})
            if answers.says_not_found(answer):
                return found
            rows, last = answers.page(answer)
            found += [row for row in rows if row.identifier == reference]
            if last:
                return found
        raise Unclear("too many orders with a similar identifier")

    def _outcome(self, work: Work, order: Order, *, remark: str = "") -> IssuedCode | AtWork:
        if order.status in answers.AT_WORK:
            return AtWork(order.status)
        if order.status in answers.NOT_DELIVERED:
            back = "" if order.status == "REFUNDED" else ", its money is still to come back"
            message = f"transaction {order.transaction_id} is {order.status}{back}"
            raise Declined(SLUG, message, raw_code=order.status)
        if order.status != answers.SUCCESSFUL:
            raise Unclear(f"unknown status {order.status!r}")
        return self._goods(work, order, remark)

    def _goods(self, work: Work, order: Order, remark: str) -> IssuedCode | AtWork:
        """Section 4. The order was bought whatever this call meets: it can only be at work."""
        try:
            cards = self._cards(work, order)
        except (Unclear, Unavailable, Misconfigured):
            return AtWork(order.status)
        if not cards:
            if self._seen_for(order) < self.cards_may_lag:
                return AtWork(order.status)
            raise Anomaly(SLUG, f"transaction {order.transaction_id} is done and has no cards")
        full = [card for card in cards if card]
        if not full:
            raise Anomaly(SLUG, f"transaction {order.transaction_id} is done, its card is empty")
        if len(cards) > 1:
            more = f"transaction {order.transaction_id} has {len(cards)} cards for one unit"
            remark = "; ".join(filter(None, (remark, more)))
        return full[0].issued(order, remark=remark)

    def _cards(self, work: Work, order: Order) -> list[Card]:
        answer = work.send("GET", f"orders/transactions/{order.transaction_id}/cards", accept=V2)
        return [] if _codes_not_ready(answer) else list(answers.cards(answer))

    def _seen_for(self, order: Order) -> float:
        """Seconds since we first saw this order done; 0 where that can't be remembered."""
        key = f"{self.account.key}:done:{order.transaction_id}"
        try:
            cache.add(key, time.time(), timeout=DAY)
            return time.time() - float(cache.get(key) or time.time())
        except RedisError:
            return 0.0


def _codes_not_ready(answer: Answer) -> bool:
    """Reloadly's own 404; one of an edge, in another shape, is unclear."""
    return answer.status == 404 and "message" in (answer.json() or {})  # noqa: PLR2004
