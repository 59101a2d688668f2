"""A thousand purchases whose partners misbehave by the dice.

Zendit sells first and Reloadly stands in; each order meets up to three faults, of any kind the two
simulators know that a real partner can have. Afterwards their ledgers are compared with our
tables: no unit was charged twice, every code that was charged for is ours, and every paid order is
delivered or was by the recovery API alone.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.tests.factories import UserFactory
from bdvoucher.invariants import check_all
from catalog.tests.factories import PartnerFactory, SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.tests.simulator import Simulator, running
from fulfillment.processing import process
from fulfillment.tests.desk import Desk
from fulfillment.tests.factories import codes_of
from fulfillment.tests.matrix import ReloadlyColumn, ZenditColumn
from orders.models import Order, OrderItem
from tests.proofs.selling import bought
from tests.telling import FULL, Teller
from vouchers.ciphers import fingerprint
from vouchers.models import Voucher

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.timeout(7200),
]  # fmt: skip
PURCHASES = 1000 if FULL else 20
SEED = 20260427
ANSWER_SECONDS = 0.3
#: Of every call.
ANYWHERE = (
    "error_500_before", "error_500_after", "error_503_before", "error_503_after",
    "error_502_before", "error_502_after", "message_before", "message_after", "html_before",
    "html_after", "empty_before", "empty_after", "invalid_json_before", "invalid_json_after",
    "cut_before", "cut_after", "cut_half", "huge_after", "wrong_type", "rate_limited",
)  # fmt: skip
#: These cost the time of a silence each.
SILENT = ("hang_before", "hang_after", "slow")
#: Operation -> what else it can meet. Without what the contracts rule out, such as one
#: reference carried out twice: no client can be safe from that.
SPECIAL: dict[str, dict[str, tuple[dict[str, Any], ...]]] = {
    "zendit": {
        "purchase": (
            {"fault": "out_of_stock"}, {"fault": "insufficient_funds"},
            {"fault": "provider_error"}, {"fault": "fail_spelling"},
            {"fault": "in_progress", "seconds": 40},
            {"fault": "in_progress", "seconds": 40, "then": "FAILED"},
            {"fault": "slow_done"}, {"fault": "empty_receipt"}, {"fault": "url_receipt"},
            {"fault": "no_expiry"}, {"fault": "same_code"}, {"fault": "invalid_request"},
            {"fault": "system_unavailable"}, {"fault": "system_unavailable_after"},
        ),
        "get": (
            {"fault": "not_found", "within": 50}, {"fault": "in_progress"},
            {"fault": "system_unavailable"}, {"fault": "status_text", "text": "ODD"},
            {"fault": "wrong_transaction"},
        ),
    },
    "reloadly": {
        "order": (
            {"fault": "out_of_stock"}, {"fault": "insufficient_balance"},
            {"fault": "cannot_process"}, {"fault": "cannot_process_after"},
            {"fault": "html_refusal"}, {"fault": "html_502"}, {"fault": "html_502_after"},
            {"fault": "cut_json_after"}, {"fault": "pending", "seconds": 40},
            {"fault": "processing", "seconds": 40, "then": "REFUNDED"}, {"fault": "refunded"},
            {"fault": "no_identifier"}, {"fault": "empty_card"}, {"fault": "same_code"},
            {"fault": "token_expired"}, {"fault": "too_many"},
        ),
        "report": (
            {"fault": "lag", "within": 50}, {"fault": "similar"}, {"fault": "not_found"},
            {"fault": "too_many"},
        ),
        "cards": ({"fault": "not_ready"}, {"fault": "no_cards"}, {"fault": "too_many"}),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("simulators")) as started:
        yield started


class Shop:
    """Sells one variant that both partners have, to orders that meet bad luck."""

    def __init__(self, simulator: Simulator, settings: Any, dice: random.Random) -> None:
        self.simulator, self.dice = simulator, dice
        self.met: Counter[str] = Counter()
        settings.PARTNER_ANSWER_SECONDS = ANSWER_SECONDS
        settings.PARTNER_UNKNOWN_WINDOW = timedelta(seconds=1)
        settings.BREAKER_PAUSE = timedelta(0)  # half open at once: each order probes
        settings.OPERATOR_WAIT_SECONDS = 2
        self.variant = VariantFactory()
        for priority, column in enumerate((ZenditColumn(), ReloadlyColumn()), 1):
            simulator.reset(column.slug)
            column.connect(simulator, settings)
            SourceFactory(
                variant=self.variant, partner=PartnerFactory(slug=column.slug), priority=priority,
                external_offer_id=column.offer, send_value=column.send_value,
            )  # fmt: skip
        for slug, balance in (("zendit", 10**12), ("reloadly", 10**9)):
            simulator.call(f"{slug}/wallet", balance=balance)
        cache.clear()
        self.desk, self.customer = Desk(UserFactory(operator=True)), UserFactory()

    def misbehave(self) -> None:
        for _ in range(self.dice.randint(1, 3)):
            slug = self.dice.choice(["zendit", "zendit", "reloadly"])
            operation = self.dice.choice(list(SPECIAL[slug]))
            wish = dict(self.dice.choice([*self._everywhere(), *SPECIAL[slug][operation]]))
            wish["times"] = self.dice.randint(1, 3)
            if wish["fault"] in SILENT:
                wish |= {"times": 1, "seconds": 2 * ANSWER_SECONDS}
            self.simulator.call(f"{slug}/faults", operation=operation, **wish)
            self.met[f"{slug} {operation} {wish['fault']}"] += 1

    def _everywhere(self) -> list[dict[str, Any]]:
        return [{"fault": name} for name in (*self.dice.sample(ANYWHERE, 8), *SILENT[:1])]

    def heal(self) -> None:
        for slug in SPECIAL:
            self.simulator.heal(slug)

    def sell(self) -> Order:
        self.misbehave()
        order = bought((self.variant, self.dice.choice([1, 1, 2, 3])), customer_id=self.customer.pk)
        self.work(order, rounds=5)
        self.heal()
        return order

    def work(self, order: Order, *, rounds: int) -> None:
        """The worker comes when something is due; time goes on at the partners."""
        for _ in range(rounds):
            process(order_id=order.pk)
            order.refresh_from_db()
            if order.status == "SUCCEEDED":
                return
            for slug in SPECIAL:
                self.simulator.call(f"{slug}/advance", seconds=30)
            now = timezone.now()
            mine = PartnerTransaction.objects.filter(item__order=order)
            mine.exclude(next_check_at=None).update(next_check_at=now)
            mine.filter(status="UNKNOWN").update(sent_at=now - timedelta(minutes=5))
            waiting = FulfillmentAttempt.objects.filter(
                order=order, status="IN_PROGRESS", claimed_at=None
            )
            waiting.exclude(next_try_at=None).update(next_try_at=now)

    def repair(self, order: Order) -> None:
        """As an operator does, by the API: retry, or close what the partner's people explain."""
        for _ in range(4):
            self.work(order, rounds=3)
            if order.status == "SUCCEEDED":
                return
            held = PartnerTransaction.objects.filter(
                item__order=order, status__in=["UNKNOWN", "PENDING"], next_check_at=None
            )
            for purchase in held:
                self.explain(order, purchase)
            for item in OrderItem.objects.filter(order=order).exclude(
                fulfillment_status="SUCCEEDED"
            ):
                self.desk.client.post(
                    f"{self.desk.mount}/{order.pk}/fulfillment/partner-retry",
                    {"orderItemId": item.pk, "notes": "proof"}, format="json",
                )  # fmt: skip
        order.refresh_from_db()

    def explain(self, order: Order, purchase: PartnerTransaction) -> None:
        """The partner's people send the code that its answer lacked, or another one."""
        code = code_of(self.simulator, purchase.reference)
        if not code or Voucher.objects.filter(fingerprint=fingerprint(code)).exists():
            code = f"MAILED-{purchase.pk:08d}"
        body = {"outcome": "bought", "reason": "by mail from the partner", "code": code}
        where = f"{self.desk.mount}/{order.pk}/purchases/{purchase.pk}/close"
        answer = self.desk.client.post(where, body, format="json")
        assert answer.status_code == 200, answer.content


def code_of(simulator: Simulator, reference: str) -> str:
    rows = simulator.read("zendit/ledger")["purchases"]
    return next((row["code"] for row in rows if row["transaction_id"] == reference), "")


def charges(simulator: Simulator) -> Counter[str]:
    """By the partners' own ledgers: unit (order, item and unit) -> charges that were kept."""
    units: Counter[str] = Counter()
    for slug in SPECIAL:
        for reference, count in simulator.read(f"{slug}/ledger")["charges"].items():
            units[reference.rpartition("T")[0]] += count
    return +units


def codes_kept(simulator: Simulator) -> list[set[str]]:
    """Of each purchase that was charged and kept what it gave: a code, or the link to one."""
    zendit = [
        {row["code"], str(row["receipt"].get("redemptionUrl", ""))} - {""}
        for row in simulator.read("zendit/ledger")["purchases"]
        if row["charges"] and row["code"]
    ]
    reloadly = [
        {card["cardNumber"]}
        for row in simulator.read("reloadly/ledger")["transactions"]
        if row["charged"] and not row["refunded"]
        for card in row["cards"]
        if card.get("cardNumber")
    ]
    return zendit + reloadly


def test_faulted_purchases(simulator: Simulator, settings: Any, tell: Teller) -> None:
    dice = random.Random(SEED)
    shop = Shop(simulator, settings, dice)
    ended: Counter[str] = Counter()
    while PartnerTransaction.objects.count() < PURCHASES:
        order = shop.sell()
        if order.status == "SUCCEEDED":
            ended["delivered by themselves"] += 1
        else:
            shop.repair(order)
            ended[f"{order.status} after the recovery API"] += 1
        assert order.status == "SUCCEEDED", (order.order_number, shop.met)
        assert len(codes_of(order)) == sum(item.quantity for item in order.items.all())
        if sum(ended.values()) % 50 == 0:
            done = PartnerTransaction.objects.count()
            tell.progress(f"{done} of {PURCHASES} purchases, {dict(ended)}")
    twice = {unit: count for unit, count in charges(simulator).items() if count > 1}
    assert twice == {}, "charged twice"
    ours = {bytes(digest) for digest in Voucher.objects.values_list("fingerprint", flat=True)}
    kept = codes_kept(simulator)
    lost = [codes for codes in kept if not {fingerprint(each) for each in codes} & ours]
    assert lost == [], "charged for, and not in our tables"
    broken = [str(each) for _, found in check_all(now=timezone.now()) for each in found]
    assert broken == []
    tell.figure(
        f"{PartnerTransaction.objects.count()} purchases of {sum(ended.values())} orders "
        f"(seed {SEED}), {sum(shop.met.values())} faults of {len(shop.met)} kinds: "
        f"{sum(charges(simulator).values())} units charged, 0 twice, {len(kept)} codes, 0 lost"
    )
    tell.figure(", ".join(f"{count} {how}" for how, count in sorted(ended.items())))
