"""Who may do what at every address: **a new route needs a row here**, or the build fails.

`None` stands for everybody. `OWN` is a customer's own thing, which is 404 to any other customer;
where the body names the thing, `body` does so. `reads` marks a list: who reads it and what makes
one more row of it (`test_query_counts`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.tests.factories import BrandFactory, CategoryFactory, VariantFactory
from fulfillment.models import FulfillmentAttempt, RecoveryRow, RecoveryRun
from loyalty.tests.factories import ProgramFactory, transfer_of
from notifications.models import AdminAlert
from orders.models import DiscountCode
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from payments.tests.factories import PaymentFactory
from tests.architecture.world import World, batch, delivered_item
from vouchers.models import BatchLine
from vouchers.tests.factories import VoucherFactory
from webhooks.tests.factories import DeliveryAttemptFactory

Who = frozenset[str]
Maker = Callable[[World, int], object]

EVERYBODY: Final[Who] = frozenset()
CUSTOMERS: Final[Who] = frozenset({"customer", "other"})
OWN: Final[Who] = frozenset({"customer"})
#: No role: a secret decides, and nobody has it here (fulfillment/tests/test_webhooks.py).
A_PARTNER: Final[Who] = frozenset({"partner"})
ALL_STAFF: Final[Who] = frozenset({"support", "operator", "finance", "owner"})
LOOK = ALL_STAFF
REPAIR: Final[Who] = frozenset({"operator", "owner"})
MONEY: Final[Who] = frozenset({"finance", "owner"})
LOOK_RUNS: Final[Who] = REPAIR
#: A programme's system, with a token of its own.
PROGRAMMES: Final[Who] = frozenset({"programme"})
#: Whose refusals are in the body of a foreign contract, not in the house's envelope (D23).
ASCENDA: Final = "ascenda"
STOCK: Final[Who] = frozenset({"operator", "finance", "owner"})
RESEND: Final[Who] = frozenset({"support", "operator", "owner"})


@dataclass(frozen=True)
class Row:
    who: Mapping[str, Who]
    """By verb, in lower case."""
    at: str = ""
    """The address with names of `World` in braces; the route itself where it has no parts."""
    body: Mapping[str, str] = field(default_factory=dict)
    takes_body: bool = True
    """Whether its POST, PUT and PATCH read a body of ours, whose unknown fields are refused."""
    query: str = ""
    limit: int = 0
    """Tries from one address before a 429, with `body` or `query`; 0: not limited."""
    reads: tuple[str, Maker] | None = None
    contract: str = ""
    """Whose error body it answers with; empty: the house's envelope."""
    forms: bool = False
    """Whether it reads a form as well as JSON."""


def placed(world: World, n: int) -> None:
    order = OrderFactory(paid=True, customer=world.person("customer"))
    for _ in range(2):
        VoucherFactory(order_item=OrderItemFactory(order=order))
    PaymentFactory(order=order)


def delivered(world: World, n: int) -> None:
    VoucherFactory(order_item=delivered_item(world.person("customer")))


def attempted(world: World, n: int) -> None:
    FulfillmentAttempt.objects.create(
        order_id=world.order, item=world.item, type="MANUAL_CODE_INPUT", status="PARTNER_FAILED",
        admin_user=world.person("operator"), created_at=PAID_AT, ended_at=PAID_AT,
    )  # fmt: skip


def waiting(world: World, n: int) -> None:
    order = OrderFactory(needs_attention=True)
    for _ in range(2):
        OrderItemFactory(order=order, fulfillment_status="PARTNER_FAILED")
    AdminAlert.objects.create(
        order=order, kind="fulfillment_failed", message="x", correlation_id="x", created_at=PAID_AT
    )


def alarmed(world: World, n: int) -> None:
    AdminAlert.objects.create(
        order=OrderFactory(paid=True), kind="late_payment", message="late", correlation_id="x",
        created_at=PAID_AT, acknowledged_by=world.person("operator"), acknowledged_at=PAID_AT,
    )  # fmt: skip


def planned(world: World, n: int) -> None:
    run = RecoveryRun.objects.create(
        action="partner_retry", created_by=world.person("operator"), created_at=PAID_AT
    )
    RecoveryRow.objects.create(run=run, order_id=world.order, correlation_id=f"planned-{n}")


def rowed(world: World, n: int) -> None:
    order = OrderFactory(needs_attention=True)
    RecoveryRow.objects.create(
        run_id=world.run, order=order, item=OrderItemFactory(order=order),
        correlation_id=f"rowed-{n}",
    )  # fmt: skip


def discounted(world: World, n: int) -> None:
    kind = {"discount_type": "flat", "discount_value": 5}
    DiscountCode.objects.create(code=f"MORE-{n}", **kind)


def compared(world: World, n: int) -> None:
    world.compared()


def missed(world: World, n: int) -> None:
    world.missed()


def used(world: World, n: int) -> None:
    OrderItemFactory(order=OrderFactory(discount_id=world.discount, discount_code="SAVE20"))


def on_sale(world: World, n: int) -> None:
    VariantFactory(zendit=True, product__categories=[CategoryFactory()], product__tags=["new"])


def told(world: World, n: int) -> None:
    DeliveryAttemptFactory(delivery__replayed_by=world.person("operator"))


def left_out(batch_id: int, n: int) -> None:
    BatchLine.objects.create(batch_id=batch_id, row_no=n + 10, outcome="error", message="x")


NUMBER = {"msisdn": "01712345678"}
CODE = {**NUMBER, "otp": "000000"}
PUBLIC: dict[str, Row] = {
    "": Row({"get": EVERYBODY}),
    "healthz": Row({"get": EVERYBODY}),
    "readyz": Row({"get": EVERYBODY}),
    "metrics": Row({"get": A_PARTNER}),
    "api/schema/": Row({"get": EVERYBODY}),
    "api/docs/": Row({"get": EVERYBODY}),
    "api/redoc/redoc.js": Row({"get": EVERYBODY}),
    "api/redoc/": Row({"get": EVERYBODY}),
    "pay/<str:token>": Row({}, "pay/none"),
    "subscriptions/end/<str:token>": Row({}, "subscriptions/end/none"),
    "anymail/<slug:provider>/tracking/": Row({}, "anymail/mailgun/tracking/"),
    "payments/carrier/<str:token>": Row({}, "payments/carrier/none"),
    "payments/return/": Row({}),
    "payments/return/<str:token>": Row({}, "payments/return/none"),
    "api/v1/auth/user-exist": Row({"post": EVERYBODY}, body=NUMBER, limit=60),
    "api/v1/auth/send-otp": Row({"post": EVERYBODY}, body=NUMBER, limit=1),
    "api/v1/auth/verify-otp": Row({"post": EVERYBODY}, body=CODE, limit=60),
    "api/v1/auth/sign-up": Row({"post": EVERYBODY}),
    "api/v1/auth/sign-in": Row({"post": EVERYBODY}, body={**NUMBER, "password": "x"}, limit=10),
    "api/v1/auth/refresh-token": Row({"post": EVERYBODY}),
    "api/v1/auth/sign-out": Row({"post": EVERYBODY}),
    "api/v1/auth/forgot-password": Row({"post": EVERYBODY}, body=NUMBER, limit=1),
    "api/v1/auth/reset-password": Row(
        {"post": EVERYBODY}, body={**CODE, "password": "long-enough-one"}, limit=60
    ),
    "api/v1/admin/auth/login": Row(
        {"post": EVERYBODY}, body={"email": "a@b.example", "password": "x"}, limit=10
    ),
    "api/v1/admin/auth/refresh-token": Row({"post": EVERYBODY}),
    "api/v1/admin/auth/sign-out": Row({"post": EVERYBODY}),
    "api/v1/catalog/products": Row({"get": EVERYBODY}, reads=("anonymous", on_sale)),
    "api/v1/catalog/products/<key>": Row({"get": EVERYBODY}, "api/v1/catalog/products/{product}"),
    "api/v1/catalog/brands": Row(
        {"get": EVERYBODY}, reads=("anonymous", lambda world, n: BrandFactory())
    ),
    "api/v1/catalog/categories": Row(
        {"get": EVERYBODY}, reads=("anonymous", lambda world, n: CategoryFactory())
    ),
    "api/v1/discounts/validate": Row(
        # The token is optional and a customer's: staff's is refused like any bad one.
        {"get": CUSTOMERS | {"anonymous"}}, query="code=SAVE20&subtotal=500", limit=60
    ),
    "api/v1/payments/channels": Row({"get": EVERYBODY}),
    "api/v1/payments/<slug:gateway>/callback": Row(
        {"get": EVERYBODY, "post": EVERYBODY}, "api/v1/payments/bkash/callback", takes_body=False
    ),
    "api/v1/payments/<slug:gateway>/ipn": Row(
        {"get": EVERYBODY, "post": EVERYBODY}, "api/v1/payments/sslcommerz/ipn", takes_body=False
    ),
    r"api/v1/^payments/(?P<gateway>[-\w]+)/callback/(?:(?P<reference>[\w.-]{1,64})/{0,2})?$": Row(
        {"get": EVERYBODY, "post": EVERYBODY},
        "api/v1/payments/nagad/callback/BDV-20000000-1/",
        takes_body=False,
    ),
    "api/v1/zendit/webhook": Row({"post": A_PARTNER}, takes_body=False),
    "api/v1/reloadly/webhook": Row({"post": A_PARTNER}, takes_body=False),
}  # fmt: skip
OF_CUSTOMERS: dict[str, Row] = {
    "api/v1/user/profile": Row({"get": CUSTOMERS, "patch": CUSTOMERS}),
    "api/v1/orders/fulfillment-fields/<int:variant_id>": Row(
        {"get": CUSTOMERS}, "api/v1/orders/fulfillment-fields/{variant}"
    ),
    "api/v1/orders": Row({"get": CUSTOMERS, "post": CUSTOMERS}, reads=("customer", placed)),
    "api/v1/orders/<str:key>": Row({"get": OWN}, "api/v1/orders/{unpaid}"),
    "api/v1/orders/<str:key>/cancel": Row({"post": OWN}, "api/v1/orders/{unpaid}/cancel"),
    "api/v1/vouchers": Row({"get": CUSTOMERS}, reads=("customer", delivered)),
    "api/v1/vouchers/<int:voucher_id>": Row({"get": OWN}, "api/v1/vouchers/{voucher}"),
    "api/v1/vouchers/<int:voucher_id>/mark-used": Row(
        {"post": OWN}, "api/v1/vouchers/{voucher}/mark-used"
    ),
    "api/v1/payments/initiate": Row({"post": OWN}, body={"orderId": "{unpaid}"}),
    "api/v1/payments/initiate/<str:order_key>": Row(
        {"post": OWN}, "api/v1/payments/initiate/{unpaid}"
    ),
    "api/v1/payments/status/<str:reference>": Row({"get": OWN}, "api/v1/payments/status/{payment}"),
}
#: Below `/api/v1/` and, by the same views, at the literal paths of the sources (D1).
OF_STAFF: dict[str, Row] = {
    "admin/discounts": Row({"get": LOOK, "post": REPAIR}, reads=("support", discounted)),
    "admin/discounts/<int:discount_id>": Row(
        {"get": LOOK, "put": REPAIR, "patch": REPAIR, "delete": REPAIR},
        "admin/discounts/{discount}",
    ),
    "admin/discounts/<int:discount_id>/orders": Row(
        {"get": LOOK}, "admin/discounts/{discount}/orders", reads=("finance", used)
    ),
    "admin/orders": Row({"get": LOOK}, reads=("support", waiting)),
    "admin/orders/<digits:key>": Row({"get": LOOK}, "admin/orders/{order}"),
    "admin/orders/<digits:key>/purchases": Row({"get": LOOK}, "admin/orders/{order}/purchases"),
    "admin/orders/<digits:key>/purchases/<digits:purchase>/close": Row(
        {"post": REPAIR}, "admin/orders/{order}/purchases/{purchase}/close"
    ),
    "admin/recovery-runs": Row({"get": LOOK_RUNS, "post": REPAIR}, reads=("operator", planned)),
    "admin/recovery-runs/<int:run_id>": Row({"get": LOOK_RUNS}, "admin/recovery-runs/{run}"),
    "admin/recovery-runs/<int:run_id>/rows": Row(
        {"get": LOOK_RUNS}, "admin/recovery-runs/{run}/rows", reads=("operator", rowed)
    ),
    **{
        f"admin/recovery-runs/<int:run_id>/{act}": Row(
            {"post": REPAIR}, f"admin/recovery-runs/{{run}}/{act}"
        )
        for act in ("start", "pause", "stop")
    },
    "admin/alerts": Row({"get": LOOK}, reads=("support", alarmed)),
    "admin/alerts/<int:alert_id>/acknowledge": Row(
        {"post": REPAIR}, "admin/alerts/{alert}/acknowledge"
    ),
    "admin/alerts/<int:alert_id>/resolve": Row({"post": REPAIR}, "admin/alerts/{alert}/resolve"),
    "admin/partners": Row({"get": LOOK}),
    "admin/partners/<digits:key>/reset": Row({"post": REPAIR}, "admin/partners/{partner}/reset"),
    "admin/partners/<digits:key>/check": Row({"post": REPAIR}, "admin/partners/{partner}/check"),
    **{
        f"admin/orders/<digits:key>/fulfillment/{act}": Row(
            {"post": who}, f"admin/orders/{{order}}/fulfillment/{act}"
        )
        for act, who in (
            ("manual-code", REPAIR),
            ("manual-codes", REPAIR),
            ("partner-retry", REPAIR),
            ("resend-email", RESEND),
        )
    },
    "admin/orders/<digits:key>/release": Row({"post": REPAIR}, "admin/orders/{order}/release"),
    "admin/orders/<digits:key>/fulfillment-attempts": Row(
        {"get": LOOK}, "admin/orders/{order}/fulfillment-attempts", reads=("operator", attempted)
    ),
    "admin/payments/<digits:payment_id>": Row({"get": LOOK}, "admin/payments/{received}"),
    "admin/payments/<digits:payment_id>/verify": Row(
        {"post": LOOK}, "admin/payments/{received}/verify"
    ),
    "admin/payments/<digits:payment_id>/refund": Row(
        {"post": MONEY}, "admin/payments/{received}/refund"
    ),
    "admin/payments/<digits:payment_id>/refunds/<digits:refund_id>/settle": Row(
        {"post": MONEY}, "admin/payments/{received}/refunds/{refunding}/settle"
    ),
}
#: Finance alone; by the API only, for `/admin/books/` is the pages' own address.
OF_FINANCE: dict[str, Row] = {
    "api/v1/admin/books": Row({"get": MONEY}),
    "api/v1/admin/books/stock": Row({"get": MONEY}),
    "api/v1/admin/reconciliations": Row({"get": MONEY, "post": MONEY}, reads=("finance", compared)),
    "api/v1/admin/reconciliations/<digits:run_id>": Row(
        {"get": MONEY}, "api/v1/admin/reconciliations/{comparison}"
    ),
    "api/v1/admin/reconciliations/<digits:run_id>/gaps": Row(
        {"get": MONEY}, "api/v1/admin/reconciliations/{comparison}/gaps", reads=("finance", missed)
    ),
    "api/v1/admin/reconciliations/<digits:run_id>/gaps/<digits:gap_id>/explain": Row(
        {"post": MONEY}, "api/v1/admin/reconciliations/{comparison}/gaps/{gap}/explain"
    ),
}
#: Imports of codes: below `/api/v1/` only.
OF_STOCK: dict[str, Row] = {
    "api/v1/admin/batches": Row(
        {"get": STOCK, "post": REPAIR}, reads=("operator", lambda world, n: batch())
    ),
    "api/v1/admin/batches/<int:batch_id>": Row({"get": STOCK}, "api/v1/admin/batches/{batch}"),
    "api/v1/admin/batches/<int:batch_id>/rows": Row(
        {"get": STOCK},
        "api/v1/admin/batches/{batch}/rows",
        reads=("operator", lambda world, n: left_out(world.batch, n)),
    ),
    "api/v1/admin/batches/<int:batch_id>/confirm": Row(
        {"post": REPAIR}, "api/v1/admin/batches/{batch}/confirm"
    ),
    "api/v1/admin/batches/<int:batch_id>/cancel": Row(
        {"post": REPAIR}, "api/v1/admin/batches/{batch}/cancel"
    ),
}
#: The delivery log of webhooks: below `/api/v1/` only.
OF_WEBHOOKS: dict[str, Row] = {
    "api/v1/admin/webhook-deliveries": Row({"get": LOOK}, reads=("support", told)),
    "api/v1/admin/webhook-deliveries/<int:delivery_id>": Row(
        {"get": LOOK}, "api/v1/admin/webhook-deliveries/{delivery}"
    ),
    "api/v1/admin/webhook-deliveries/<int:delivery_id>/replay": Row(
        {"post": REPAIR}, "api/v1/admin/webhook-deliveries/{delivery}/replay"
    ),
}
#: Nexway's contract: at its literal address, and with the operators' routes.
OF_NEXWAY: dict[str, Row] = {
    f"{mount}ordersv2/<digits:key>{tail}": Row(who, f"{mount}ordersv2/{{order}}{tail}")
    for mount in ("", "api/v1/admin/")
    for tail, who in (("", {"get": LOOK}), ("/email/send", {"post": RESEND}))
}


def ordered(world: World, n: int) -> None:
    transfer_of(world.client)


def programme_row(who: Mapping[str, Who], at: str = "", **more: Any) -> Row:
    return Row(who, at, contract=ASCENDA, **more)


_TOKEN = {"client_id": "bdv_nobody", "client_secret": "x"}
OF_PROGRAMMES: dict[str, Row] = {
    "oauth/token": programme_row({"post": EVERYBODY}, body=_TOKEN, limit=10, forms=True),
    "fulfillment-orders": programme_row(
        {"get": PROGRAMMES, "post": PROGRAMMES}, reads=("programme", ordered)
    ),
    "fulfillment-orders/gift-cards": programme_row({"post": PROGRAMMES}),
    "fulfillment-orders/points-transfers": programme_row({"post": PROGRAMMES}),
    "fulfillment-orders/<str:key>": programme_row(
        {"get": PROGRAMMES}, "fulfillment-orders/{fulfillment}"
    ),
    "gift-cards": programme_row({"get": PROGRAMMES}, reads=("programme", on_sale)),
    "loyalty_programs": programme_row(
        {"get": PROGRAMMES}, reads=("programme", lambda world, n: ProgramFactory())
    ),
    "loyalty_programs/<str:key>": programme_row({"get": PROGRAMMES}, "loyalty_programs/{program}"),
    "loyalty_programs/<str:key>/validate_membership": programme_row(
        {"post": PROGRAMMES}, "loyalty_programs/{program}/validate_membership"
    ),
}


def _versioned(row: Row) -> Row:
    return Row(**{**vars(row), "at": row.at and f"api/v1/{row.at}"})


ROUTES: Final[Mapping[str, Row]] = {
    **PUBLIC,
    **OF_CUSTOMERS,
    **OF_STAFF,
    **OF_FINANCE,
    **OF_NEXWAY,
    **OF_PROGRAMMES,
    **{
        f"api/v1/{where}": _versioned(row)
        for rows in (OF_STAFF, OF_PROGRAMMES)
        for where, row in rows.items()
    },
    **OF_STOCK,
    **OF_WEBHOOKS,
}


def address(where: str, world: World) -> str:
    return "/" + (ROUTES[where].at or where).format_map(world)  # type: ignore[arg-type]


def body(where: str, world: World) -> dict[str, Any]:
    return {
        name: value.format_map(world)  # type: ignore[arg-type]
        for name, value in ROUTES[where].body.items()
    }
