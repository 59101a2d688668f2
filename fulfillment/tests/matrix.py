"""Partner x fault: what comes of a paid order, told once, with the real simulator on the wire.

A partner's test subclasses `PartnerMatrix` and says how its simulator is brought to each fault.
What must come of it is written here: a unit is charged once at most, a paid order ends delivered or
in front of a person, and nothing is bought again under a new reference while the former one may
still deliver. A cell that a partner can't have names the line of the reference that says so.
`./run test fulfillment/tests/test_partner_matrix.py` prints the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

import pytest
from django.core.cache import cache
from django.utils import timezone

from catalog.models import Variant
from catalog.tests.factories import PartnerFactory, SourceFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.partners.tests.simulator import ANSWER_SECONDS, CREDENTIALS, Simulator
from fulfillment.processing import process
from fulfillment.tests.factories import codes_of, open_alerts_of, paid_order
from orders.models import Order

DELIVERED: Final = "delivered"
REFUSED: Final = "refused"
HELD: Final = "held"
TOLD: Final = "delivered, told"

#: Fault -> what it is, and what must come of the order.
FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "no_stock": ("a definite no", REFUSED),
    "no_money": ("our wallet there is empty", REFUSED),
    "rate_limited": ("429 with Retry-After", DELIVERED),
    "error_500_before": ("500 before the charge", DELIVERED),
    "error_500_after": ("500 after the charge", DELIVERED),
    "hang_before": ("time-out before the charge", DELIVERED),
    "hang_after": ("time-out after the charge", DELIVERED),
    "cut_before": ("cut before the charge", DELIVERED),
    "cut_after": ("cut after the charge", DELIVERED),
    "cut_half": ("half of an answer after the charge", DELIVERED),
    "html_before": ("a page in place of JSON, nothing bought", DELIVERED),
    "html_after": ("a page in place of JSON, bought", DELIVERED),
    "huge_after": ("10 MB, bought", DELIVERED),
    "invalid_json_before": ("broken JSON, nothing bought", DELIVERED),
    "invalid_json_after": ("broken JSON, bought", DELIVERED),
    "slow": ("bought, answered too late", DELIVERED),
    "pending_then_done": ("at work, then done", DELIVERED),
    "pending_then_failed": ("at work, then failed", REFUSED),
    "fewer_codes": ("done without a code", HELD),
    "more_codes": ("a code more than was bought", TOLD),
    "code_sold_already": ("a code that we hold", HELD),
    "look_up_lags": ("bought, a 500, and not found for a while", DELIVERED),
    "look_up_down": ("bought, a 500, and look-ups fail for a while", DELIVERED),
    "expired_token": ("our token runs out in the middle", DELIVERED),
    "two_orders": ("one reference carried out twice by the partner", TOLD),
}


@dataclass(frozen=True, slots=True)
class Never:
    """Why a partner cannot have a cell: page and line of the reference."""

    page: str
    line: str


class PartnerMatrix:
    """Subclass with the partner's words; each cell is one test."""

    slug: ClassVar[str]
    #: The simulator's operations that sell and that answer a look-up.
    sells: ClassVar[str]
    looks: ClassVar[str]
    offer: ClassVar[str]
    send_value: ClassVar[Decimal | None] = None
    #: Cell -> wishes to the simulator that bring it about, where they are not the cell's name.
    wishes: ClassVar[Mapping[str, tuple[Mapping[str, Any], ...]]]
    never: ClassVar[Mapping[str, Never]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "fault" in metafunc.fixturenames:
            metafunc.parametrize("fault", FAULTS)

    def connect(self, simulator: Simulator, settings: Any) -> None:
        """Point the adapter's settings to the simulator."""
        raise NotImplementedError

    @pytest.mark.django_db
    def test_matrix(
        self, simulator: Simulator, settings: Any, fault: str, record_property: Any
    ) -> None:
        never = self.never.get(fault)
        end = FAULTS[fault][1]
        cell = f"none: {never.page}" if never else end
        record_property("partner_matrix", [fault, self.slug, cell])
        if never is not None:
            assert never.line
            assert fault not in self.wishes
            return
        settings.PARTNER_ANSWER_SECONDS = ANSWER_SECONDS
        settings.PARTNER_UNKNOWN_WINDOW = timedelta(0)
        simulator.reset(self.slug)
        cache.clear()  # tokens of the simulator as it was
        self.connect(simulator, settings)
        self.simulator = simulator
        variant = self.sold_by_the_partner()
        if fault == "code_sold_already":
            self.delivered(self.worked(paid_order((variant, 1))))
        wishes = self.wishes.get(fault, ({"operation": self.sells, "fault": fault, "times": 1},))
        for wish in wishes:
            simulator.fault(self.slug, **wish)
        order = self.worked(paid_order((variant, 1)))
        getattr(self, end.split(", ")[-1])(order)

    def sold_by_the_partner(self) -> Variant:
        variant: Variant = VariantFactory()
        SourceFactory(
            variant=variant,
            partner=PartnerFactory(slug=self.slug),
            external_offer_id=self.offer,
            send_value=self.send_value,
        )
        return variant

    def worked(self, order: Order) -> Order:
        """The worker comes as often as the plan wants it; time goes on at the partner."""
        for _ in range(8):
            process(order_id=order.pk)
            order.refresh_from_db()
            if order.status == "SUCCEEDED":
                break
            self.simulator.call(f"{self.slug}/advance", seconds=30)
            now = timezone.now()
            PartnerTransaction.objects.exclude(next_check_at=None).update(next_check_at=now)
            waiting = FulfillmentAttempt.objects.filter(status="IN_PROGRESS", claimed_at=None)
            waiting.exclude(next_try_at=None).update(next_try_at=now)
        return order

    def charged(self, order: Order) -> dict[str, int]:
        """By the partner's own ledger: reference -> charges that were kept."""
        charges = self.simulator.read(f"{self.slug}/ledger")["charges"]
        return {ref: n for ref, n in charges.items() if ref.startswith(order.order_number) and n}

    # What may come of an order.

    def delivered(self, order: Order) -> None:
        assert order.status == "SUCCEEDED"
        assert len(codes_of(order)) == 1
        assert list(self.charged(order).values()) == [1]
        assert open_alerts_of(order) == []

    def told(self, order: Order) -> None:
        assert order.status == "SUCCEEDED"
        assert len(codes_of(order)) == 1
        assert open_alerts_of(order) == ["partner_anomaly"]
        assert PartnerTransaction.objects.filter(item__order=order).count() == 1

    def refused(self, order: Order) -> None:
        assert order.status == "NEEDS_ATTENTION"
        assert self.charged(order) == {}
        assert open_alerts_of(order) == ["fulfillment_failed"]

    def held(self, order: Order) -> None:
        assert order.status in ("PENDING", "NEEDS_ATTENTION")
        assert codes_of(order) == []
        assert list(self.charged(order).values()) == [1]
        assert "partner_anomaly" in open_alerts_of(order)
        assert PartnerTransaction.objects.filter(item__order=order).count() == 1


class ZenditColumn(PartnerMatrix):
    slug = "zendit"
    sells = "purchase"
    looks = "get"
    offer = "NETFLIX_500"
    wishes = {
        "no_stock": ({"operation": "purchase", "fault": "out_of_stock"},),
        "no_money": ({"operation": "purchase", "fault": "insufficient_funds"},),
        "pending_then_done": ({"operation": "purchase", "fault": "in_progress", "seconds": 40},),
        "pending_then_failed": (
            {"operation": "purchase", "fault": "in_progress", "seconds": 40, "then": "FAILED"},
        ),
        "fewer_codes": ({"operation": "purchase", "fault": "empty_receipt"},),
        "code_sold_already": ({"operation": "purchase", "fault": "same_code"},),
        "look_up_lags": (
            {"operation": "purchase", "fault": "error_500_after", "times": 1},
            {"operation": "get", "fault": "not_found", "within": 80},
        ),
        "look_up_down": (
            {"operation": "purchase", "fault": "error_500_after", "times": 1},
            {"operation": "get", "fault": "error_503", "times": 3},
        ),
    }
    never = {
        "more_codes": Never("zendit.md 3", "One purchase = one voucher"),
        "expired_token": Never("zendit.md 1", "`Authorization: Bearer <key>`; no token exchange"),
        "two_orders": Never("zendit.md 3", "unique per environment: the idempotency key"),
    }

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.ZENDIT_BASE_URL = f"{simulator.url}/zendit/v1"
        settings.ZENDIT_API_KEY = CREDENTIALS["ZENDIT_API_KEY"]


class ReloadlyColumn(PartnerMatrix):
    slug = "reloadly"
    sells = "order"
    looks = "report"
    offer = "18"
    send_value = Decimal(800)
    wishes = {
        "no_stock": ({"operation": "order", "fault": "out_of_stock"},),
        "no_money": ({"operation": "order", "fault": "insufficient_balance"},),
        "pending_then_done": ({"operation": "order", "fault": "pending", "seconds": 40},),
        "pending_then_failed": (
            {"operation": "order", "fault": "processing", "seconds": 40, "then": "REFUNDED"},
        ),
        "fewer_codes": ({"operation": "order", "fault": "empty_card"},),
        "more_codes": ({"operation": "order", "fault": "more_cards"},),
        "code_sold_already": ({"operation": "order", "fault": "same_code"},),
        "look_up_lags": (
            {"operation": "order", "fault": "error_500_after", "times": 1},
            {"operation": "report", "fault": "lag", "within": 80},
        ),
        "look_up_down": (
            {"operation": "order", "fault": "error_500_after", "times": 1},
            {"operation": "report", "fault": "error_503", "times": 3},
        ),
        "expired_token": ({"operation": "order", "fault": "token_expired", "times": 1},),
        "two_orders": (
            {"operation": "order", "fault": "error_500_after", "times": 1},
            {"operation": "order", "fault": "twice", "times": 1},
        ),
    }

    def connect(self, simulator: Simulator, settings: Any) -> None:
        settings.RELOADLY_BASE_URL = settings.RELOADLY_AUTH_URL = f"{simulator.url}/reloadly"
        for name in ("CLIENT_ID", "CLIENT_SECRET", "AUDIENCE"):
            setattr(settings, f"RELOADLY_{name}", CREDENTIALS[f"RELOADLY_{name}"])


def table(cells: list[tuple[str, str, str]]) -> list[str]:
    """The matrix as lines of text: (fault, partner, what is in the cell)."""
    partners = sorted({partner for _, partner, _ in cells})
    found = {(fault, partner): text for fault, partner, text in cells}
    width = max(map(len, FAULTS))
    lines = ["  ".join(["".ljust(width), *(partner.ljust(17) for partner in partners)]).rstrip()]
    for fault in FAULTS:
        row = [found.get((fault, partner), "-").ljust(17) for partner in partners]
        lines.append("  ".join([fault.ljust(width), *row]).rstrip())
    return lines
