"""Lists cost the same for few rows and for many: every list of the API and of the admin's site."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import StaffAction
from accounts.tests.factories import UserFactory, bearer
from books.tests.factories import GapFactory
from catalog.tests.factories import CategoryFactory, PartnerFactory, SourceFactory, TagFactory
from fulfillment.models import (
    FulfillmentAttempt,
    PartnerHealth,
    PartnerTransaction,
    RecoveryRow,
    RecoveryRun,
)
from loyalty.models import ProgramMember
from loyalty.tests.factories import AccountFactory, ClientFactory, transfer_of
from notifications.models import AdminAlert, StoreEmailPolicy
from notifications.tests.factories import EmailMessageFactory
from orders.models import DiscountCode
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.models import CarrierConsent, GatewayCallback, Refund
from payments.tests.factories import PaymentFactory
from tests.architecture.table import ROUTES, address, attempted
from tests.architecture.world import World
from tests.order_mails import subscription_of
from vouchers.models import Batch, CodeReveal
from vouchers.tests.factories import VoucherFactory
from webhooks.tests.factories import DeliveryAttemptFactory

pytestmark = pytest.mark.django_db

#: Lists of what the code says, not of rows.
FIXED = {"/api/v1/payments/channels"}
LISTS = [where for where, row in ROUTES.items() if row.reads]
MOST = 12


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def statements(url, header):
    client = APIClient()
    client.get(url, **header)  # what is loaded once a process is not the list's
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, **header)
    assert answer.status_code == 200, answer.content
    data = answer.json()["data"]  # of a foreign contract: the rows, and beside them `meta`
    return {"items": data} if isinstance(data, list) else data, len(queries)


def lists_of_the_schema():
    """Every operation whose `data` is an array, or a page of one."""
    schema = SchemaGenerator().get_schema(public=True)

    def inside(part):
        while "$ref" in part:
            part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
        return part

    for path, verbs in schema["paths"].items():
        answer = verbs.get("get", {}).get("responses", {}).get("200", {})
        body = answer.get("content", {}).get("application/json", {}).get("schema", {})
        data = inside(inside(body).get("properties", {}).get("data", {}))
        if data.get("type") == "array" or {"items", "page"} <= set(data.get("properties", {})):
            yield path


def test_every_list_of_the_schema_is_counted():
    found = {path.replace("{", "<").replace("}", ">") for path in lists_of_the_schema()} - FIXED
    assert len(found) >= 8
    plain = {"/" + where.replace("<int:", "<").replace("<digits:", "<") for where in LISTS}
    assert found - plain == set(), "give these a `reads` in tests/architecture/table.py"


@pytest.mark.parametrize("where", LISTS)
def test_a_list_of_the_api(where):
    world = World()
    role, make = ROUTES[where].reads
    url, header = f"{address(where, world)}?limit=100", world.header(role)
    _, _ = world.order, world.discount
    empty, _ = statements(url, header)
    make(world, 1)
    one, few = statements(url, header)
    for n in range(2, 31):
        make(world, n)
    many, same = statements(url, header)
    assert len(one["items"]) == len(empty["items"]) + 1
    assert len(many["items"]) == len(empty["items"]) + 30
    assert few == same
    assert few <= MOST


@pytest.mark.parametrize("role", ["operator", "support"])
def test_the_audit_trail_with_and_without_the_right_to_read_codes(role):
    world = World()
    url = f"/api/v1/admin/orders/{world.order}/fulfillment-attempts?limit=100"
    counts = []
    for rows in (1, 29):
        for n in range(rows):
            attempted(world, n)
        counts.append(statements(url, world.header(role))[1])
    assert counts[0] == counts[1]


def test_one_order_of_many_units():
    customer = UserFactory()
    small, large = (
        OrderFactory(paid=True, customer=customer),
        OrderFactory(paid=True, customer=customer),
    )
    VoucherFactory(order_item=OrderItemFactory(order=small))
    for _ in range(5):
        item = OrderItemFactory(order=large, quantity=6)
        for _ in range(6):
            VoucherFactory(order_item=item)
    one, few = statements(f"/api/v1/orders/{small.pk}", bearer(customer))
    many, same = statements(f"/api/v1/orders/{large.pk}", bearer(customer))
    assert (len(one["voucher_codes"]), len(many["voucher_codes"])) == (1, 30)
    assert few == same
    assert few - 1 <= 5  # besides the sign-in


def fill(numbers):
    """One more row of every model the admin's site lists, for each number."""
    now, operator = timezone.now(), UserFactory(operator=True)
    finance, support = UserFactory(finance=True), UserFactory(support=True)
    for n in numbers:
        client = ClientFactory()
        transfer_of(client)
        AccountFactory(program=client.program)
        ProgramMember.objects.create(program=client.program, member_id=f"M{n}")
        order = OrderFactory(needs_attention=True)
        item = OrderItemFactory(order=order)
        source = SourceFactory(
            variant=item.variant, partner=PartnerFactory(slug=f"partner-{n}"), priority=n
        )
        item.variant.product.categories.set([CategoryFactory()])
        item.variant.product.tags.set([TagFactory(slug=f"filled-{n}")])
        PartnerHealth.objects.create(partner=source.partner, balance=n, balance_currency="USD")
        voucher = VoucherFactory(
            order_item=item, partner=source.partner,
            batch=Batch.objects.create(variant=item.variant, supplier=f"Supplier {n}"),
        )  # fmt: skip
        attempt = FulfillmentAttempt.objects.create(
            order=order, item=item, type="AUTO", status="PARTNER_FAILED", created_at=now,
            ended_at=now,
        )  # fmt: skip
        PartnerTransaction.objects.create(
            attempt=attempt, item=item, unit_no=1, source=source, partner=source.partner,
            status="FAILED", reference=f"{order.order_number}I1U1T{n}", sent_at=now, created_at=now,
        )  # fmt: skip
        payment = PaymentFactory(order=order, received_amount=500)
        Refund.objects.create(
            payment=payment, reference=f"{payment.reference}-R1", amount=500, reason="why",
            requested_by=finance, created_at=now,
        )  # fmt: skip
        GatewayCallback.objects.create(
            gateway="bkash", digest=n.to_bytes(2) * 16, payment=payment, method="GET", headers={},
            received_at=now, last_received_at=now,
        )  # fmt: skip
        CarrierConsent.objects.create(
            payment=payment, carrier="bdapps", subscriber=f"tel:88018{n:08d}", created_at=now
        )
        StaffAction.objects.create(
            user=operator, action="orders_order_resend", path="/", status=302,
            at=now,
        )  # fmt: skip
        CodeReveal.objects.create(voucher=voucher, user=support, reason="test")
        AdminAlert.objects.create(
            order=order, kind="fulfillment_failed", message=f"why {n}", created_at=now
        )
        EmailMessageFactory(order=order)
        subscription_of(order.customer, variant=item.variant)
        DiscountCode.objects.create(code=f"FILL-{n}", discount_type="flat", discount_value=n)
        GapFactory(payment=payment)
        Group.objects.create(name=f"group {n}")
        Permission.objects.create(
            codename=f"filled_{n}", name=f"Filled {n}", content_type=ContentType.objects.first()
        )
        DeliveryAttemptFactory()
        run = RecoveryRun.objects.create(
            action="partner_retry", created_by=operator, created_at=now
        )
        RecoveryRow.objects.create(run=run, order=order, item=item, correlation_id=f"filled-{n}")


def pages():
    for model in admin.site._registry:
        if model is StoreEmailPolicy:  # the database holds it to one row
            continue
        meta = model._meta
        yield model, reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


@pytest.mark.timeout(600)
def test_every_list_of_the_admins_site(client):
    world = World()
    client.force_login(world.person("owner"))

    def costs():
        counts = {}
        for _, url in pages():
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(url)
            assert answer.status_code == 200, url
            counts[url] = len(queries)
        return counts

    fill(range(1, 4))  # a page of one row shows no paginator, no actions, ...
    few = costs()
    fill(range(4, 301))
    assert costs() == few
    assert max(few.values()) <= 20, few
    for model, url in pages():
        assert model._default_manager.count() >= 300, f"let `fill` make rows for {url}"
