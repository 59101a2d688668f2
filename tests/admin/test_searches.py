"""What an operator searches for by its exact name is found, by a look into an index for each."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfillment.models import FulfillmentAttempt, PartnerTransaction
from fulfillment.processing import process
from fulfillment.tests.factories import offered, paid_order
from notifications.models import EmailMessage
from orders.tests.factories import PAID_AT
from payments.models import GatewayCallback, Payment
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(zendit):
    zendit.meets("A", "done")
    order = paid_order((offered("A"), 1), recipient_email="Asha@example.com")
    payment = Payment.objects.create(
        order=order, method="bkash", reference="BDV-1-1", amount=500, status="SUCCEEDED",
        gateway_reference="TR0011", gateway_transaction_id="9KX", effective=True,
        paid_at=PAID_AT, created_at=PAID_AT,
    )  # fmt: skip
    GatewayCallback.objects.create(
        gateway="bkash", digest=b"1", payment=payment, method="GET", received_at=PAID_AT,
        last_received_at=PAID_AT,
    )  # fmt: skip
    process(order_id=order.pk)
    Voucher.objects.update(serial_number="SN-77")
    PartnerTransaction.objects.update(partner_transaction_id="Z-5")
    return order


def found(client, address, term):
    answer = client.get(address, {"q": term})
    assert answer.status_code == 200
    return answer.context["cl"].result_count


@pytest.mark.parametrize(
    ("address", "terms"),
    [
        ("/admin/payments/payment/", ["BDV-1-1", "TR0011", "9KX"]),
        ("/admin/vouchers/voucher/", ["SN-77", "{order.order_number}"]),
        (
            "/admin/notifications/emailmessage/",
            ["asha@EXAMPLE.com", "{mail.message_id}", "{order.order_number}"],
        ),
        (
            "/admin/fulfillment/fulfillmentattempt/",
            ["{attempt.correlation_id}", "{order.order_number}"],
        ),
        ("/admin/fulfillment/partnertransaction/", ["{bought.reference}", "Z-5"]),
    ],
)
def test_each_of_its_names_finds_a_row(order, client, sign_in, address, terms):
    sign_in("owner")
    known = {
        "order": order,
        "mail": EmailMessage.objects.get(),
        "attempt": FulfillmentAttempt.objects.get(),
        "bought": PartnerTransaction.objects.get(),
    }
    for term in terms:
        assert found(client, address, term.format(**known)) == 1, term
    assert found(client, address, "nobody-has-this") == 0


def test_a_search_never_asks_for_this_or_that_over_the_whole_table(order, client, sign_in):
    sign_in("owner")
    with CaptureQueriesContext(connection) as queries:
        found(client, "/admin/payments/payment/", "9KX")
    looked = next(each["sql"] for each in queries if "UNION" in each["sql"])
    assert " OR " not in looked
    assert "UPPER" not in looked


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("/admin/payments/payment/", "method=bkash"),
        ("/admin/payments/gatewaycallback/", "gateway=bkash"),
        ("/admin/notifications/emailmessage/", "template=vouchers"),
    ],
)
def test_a_filter_of_known_values_reads_no_table(order, client, sign_in, address, known):
    sign_in("owner")
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"{address}?{known}")
    assert answer.context["cl"].result_count == 1
    assert not [each["sql"] for each in queries if "DISTINCT" in each["sql"]]
    other = known.partition("=")[0]
    assert client.get(f"{address}?{other}=PREBILLING").context["cl"].result_count == 0
