"""Gift cards paid in points: an order of the shop like any other, but nobody's account."""

import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from catalog.tests.factories import CategoryFactory, VariantFactory
from core.actors import SYSTEM
from core.errors import Conflict
from fulfillment.models import FulfillmentAttempt
from fulfillment.processing import process
from fulfillment.tests.factories import open_alerts_of, pool_of
from loyalty.models import FulfillmentOrder
from loyalty.services import give_up
from loyalty.tests.bank import RECIPIENT
from loyalty.tests.factories import AccountFactory, ClientFactory
from orders.models import Order, OrderEvent
from payments.models import Payment
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db


def placed(bank, body, path=""):
    answer = bank.order(body, path)
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def test_it_is_accepted_paid_in_points_and_waits_for_delivery(bank):
    account = AccountFactory(program=bank.client.program, user_id=bank.user_id)
    card = pool_of("GIFT-0001", price=300)
    told = placed(bank, bank.card(card, submitted_at="2026-04-27T14:22:00+06:00"))
    (item,) = told["order_items"]
    assert told["status"] == "accepted"
    assert told["submitted_at"] == "2026-04-27T08:22:00.000Z"
    assert told["points_account_id"] == str(account.pk)
    assert told["recipient"] == {"email": "nadia@example.com", "name": "Nadia Islam"}
    assert (item["type"], item["status"], item["quantity"]) == ("gift_card", "processing", 1)
    assert item["points_to_be_returned"] is False

    order = Order.objects.get(order_number=item["order_number"])
    assert (order.customer, order.status, order.total_amount) == (None, "PENDING", 300)
    payment = Payment.objects.get(order=order)
    assert (payment.method, payment.status, payment.effective) == ("points", "SUCCEEDED", True)
    assert payment.amount == order.total_amount
    assert FulfillmentAttempt.objects.get(order=order).status == "IN_PROGRESS"
    note = OrderEvent.objects.get(order=order, kind="note")
    assert told["reference"] in note.reason
    assert bank.client.name in note.reason


def test_it_is_delivered_to_its_recipient_and_told_as_fulfilled(bank, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    told = placed(bank, bank.card(pool_of("GIFT-0001")))
    process(order_id=Order.objects.get().pk)
    (message,) = mail.outbox
    assert message.to == ["nadia@example.com"]
    assert "GIFT-0001" in message.body
    found = bank.get(f"fulfillment-orders/{told['id']}").json()["data"]
    (item,) = found["order_items"]
    assert item["status"] == "fulfilled"
    assert item["fulfilled_at"].endswith("Z")
    assert "GIFT-0001" not in str(found)


def test_the_gift_card_path_takes_the_user_as_recipient(bank):
    body = {
        "reference": "own-1", "user": {"id": bank.user_id, "email": "me@example.com"},
        "submitted_at": "2026-04-27T14:22:00Z",
        "gift_cards": [{"gift_card_id": pool_of("A-1", "A-2").pk, "quantity": 2}],
    }  # fmt: skip
    told = placed(bank, body, "/gift-cards")
    assert told["recipient"]["email"] == "me@example.com"
    assert told["order_items"][0]["quantity"] == 2


def test_a_card_that_asks_for_something(bank):
    card = VariantFactory(zendit=True, product__asks_player=True)
    items = [{"type": "gift_card", "gift_card_id": card.pk}]
    answer = bank.order(bank.card(card, order_items=items))
    assert answer.json()["error"]["code"] == "NN1001"
    assert "player_id" in answer.json()["error"]["message"]
    items[0]["fulfillment_input"] = {"player_id": 7}
    assert placed(bank, bank.card(card, order_items=items))


def test_in_the_recipients_language(bank):
    body = bank.card(pool_of("A-1"), recipient=RECIPIENT | {"language": "bn"})
    placed(bank, body)
    assert Order.objects.get().language == "bn"


def test_no_customer_sees_it_and_operators_do(bank):
    told = placed(bank, bank.card(pool_of("GIFT-0001")))
    order = Order.objects.get()
    someone = UserFactory(email="nadia@example.com")  # the recipient's own account, even
    for path in (f"/api/v1/orders/{order.pk}", f"/api/v1/orders/{order.order_number}"):
        assert APIClient().get(path, **bearer(someone)).status_code == 404
    assert APIClient().get("/api/v1/orders", **bearer(someone)).json()["data"]["total"] == 0
    assert APIClient().get("/api/v1/vouchers", **bearer(someone)).json()["data"]["total"] == 0
    shown = APIClient().get(f"/admin/orders/{order.pk}", **bearer(UserFactory(operator=True)))
    assert shown.status_code == 200
    assert shown.json()["data"]["customer"] is None
    assert told["order_items"][0]["order_number"] == order.order_number


def test_another_client_sees_nothing_of_it(bank):
    told = placed(bank, bank.card(pool_of("GIFT-0001")))
    bank.client = ClientFactory(program=bank.client.program)
    assert bank.get(f"fulfillment-orders/{told['id']}").status_code == 404
    assert bank.get("fulfillment-orders").json()["data"] == []


def stuck(bank, settings):
    """Nothing to deliver: the pool's code went away, the order needs attention."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    told = placed(bank, bank.card(pool_of("GIFT-0001")))
    order = Order.objects.get()
    Voucher.objects.update(status="available", order_item=None, unit_no=None, reserved_until=None)
    Voucher.objects.update(status="void")
    process(order_id=order.pk)
    order.refresh_from_db()
    assert order.status == "NEEDS_ATTENTION"
    return told, order


def item_of(bank, told):
    return bank.get(f"fulfillment-orders/{told['id']}").json()["data"]["order_items"][0]


def test_not_delivered_is_not_failed_and_the_same_repair_delivers_it(bank, settings):
    told, order = stuck(bank, settings)
    assert item_of(bank, told)["status"] == "processing"
    assert open_alerts_of(order)
    desk = bearer(UserFactory(operator=True))
    queue = APIClient().get("/api/v1/admin/orders?tab=needs_attention", **desk).json()["data"]
    assert [row["id"] for row in queue["items"]] == [order.pk]
    body = {"orderItemId": order.items.get().pk, "code": "BY-HAND-1"}
    answer = APIClient().post(
        f"/admin/orders/{order.pk}/fulfillment/manual-code", body, format="json", **desk
    )
    assert answer.json()["data"]["status"] == "DISPATCHED", answer.content
    assert item_of(bank, told)["status"] == "fulfilled"
    assert "BY-HAND-1" in mail.outbox[-1].body


def test_given_up_is_cancelled_and_says_that_points_go_back(bank, settings):
    told, order = stuck(bank, settings)
    row = FulfillmentOrder.objects.get()
    give_up(row, operator=SYSTEM, reason="discontinued", now=timezone.now())
    item = item_of(bank, told)
    assert (item["status"], item["points_to_be_returned"]) == ("cancelled", True)
    assert item["failure"] == {"code": "", "message": "The order was given up."}
    order.refresh_from_db()
    assert (order.closed_by_refund, open_alerts_of(order)) == (True, [])
    row = FulfillmentOrder.objects.get()
    with pytest.raises(Conflict, match="already"):
        give_up(row, operator=SYSTEM, reason="again", now=timezone.now())


def test_what_is_delivered_is_not_given_up(bank, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    placed(bank, bank.card(pool_of("GIFT-0001")))
    process(order_id=Order.objects.get().pk)
    with pytest.raises(Conflict):
        give_up(FulfillmentOrder.objects.get(), operator=SYSTEM, reason="no", now=timezone.now())
    assert Order.objects.get().closed_by_refund is False


# The same request again


def test_with_its_key_it_is_the_same_answer(bank):
    body, key = bank.card(pool_of("A-1", "A-2")), {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first, again = bank.order(body, **key), bank.order(body, **key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Idempotent-Replay"] == "true"
    assert Order.objects.count() == 1
    other = bank.order(bank.card(pool_of("B-1")), **key)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "UNPROCESSABLE")


def test_a_refused_request_may_come_again_with_its_key(bank):
    card = VariantFactory(preloaded=True)
    body, key = bank.card(card), {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    assert bank.order(body, **key).status_code == 400
    from vouchers.tests.factories import VoucherFactory

    VoucherFactory(variant=card)
    assert bank.order(body, **key).status_code == 201


def test_an_order_stored_before_a_500_is_found_by_reference_and_by_its_key(bank, monkeypatch):
    body, key = bank.card(pool_of("A-1", "A-2")), {"HTTP_IDEMPOTENCY_KEY": "k-1"}

    def broken(*args, **kwargs):
        raise RuntimeError("gone")

    with monkeypatch.context() as dying:
        dying.setattr("loyalty.views.find_order_of_client", broken)
        answer = bank.order(body, **key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "NN0001")

    (found,) = bank.get("fulfillment-orders", reference=body["reference"]).json()["data"]
    again = bank.order(body, **key)
    assert (again.status_code, again.json()["data"]["id"]) == (201, found["id"])
    without = bank.order(body)
    assert (without.status_code, without.json()["error"]["code"]) == (409, "NN1011")
    assert Order.objects.count() == 1


# Lists


def test_orders_are_listed_newest_first_and_found(bank, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    first = placed(bank, bank.card(pool_of("A-1")))
    process(order_id=Order.objects.get().pk)
    second = placed(bank, bank.card(pool_of("B-1")))
    third = placed(bank, bank.points(user_id=str(uuid.uuid4())))

    def ids(**query):
        answer = bank.get("fulfillment-orders", **query)
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["data"]]

    assert ids() == [third["id"], second["id"], first["id"]]
    assert ids(limit=1, page=2) == [second["id"]]
    assert ids(reference=second["reference"]) == [second["id"]]
    assert ids(user_id=third["user_id"]) == [third["id"]]
    assert ids(type="points_transfer") == [third["id"]]
    assert ids(status="fulfilled") == [first["id"]]
    assert ids(status="processing") == [second["id"]]
    assert ids(status="pending") == [third["id"]]
    assert ids(status="failed") == ids(status="cancelled") == []
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    assert ids(created_from=soon) == []
    assert len(ids(created_to=soon)) == 3
    for wrong in ({"status": "done"}, {"type": "x"}, {"created_from": "yesterday"}):
        assert bank.get("fulfillment-orders", **wrong).status_code == 400


def test_gift_cards_are_listed_by_name(bank):
    games, other = CategoryFactory(slug="games"), CategoryFactory()
    first = pool_of("A-1", name="Apple 10", product__categories=[games, other], price=300)
    empty = VariantFactory(preloaded=True, name="Zebra", product__categories=[other])
    VariantFactory(zendit=True, product__hidden=True)
    VariantFactory(zendit=True, price=0)

    def names(**query):
        return [row["name"] for row in bank.get("gift-cards", **query).json()["data"]]

    assert names() == ["Apple 10", "Zebra"]
    assert names(sort="name:desc") == ["Zebra", "Apple 10"]
    assert names(name="apple") == ["Apple 10"]
    assert names(categories="games") == ["Apple 10"]
    assert names(currency="BDT") == ["Apple 10", "Zebra"]
    assert names(currency="USD") == []
    assert names(limit=1, page=2) == ["Zebra"]
    card = bank.get("gift-cards", name="apple").json()["data"][0]
    assert (card["id"], card["value"], card["currency"]) == (first.pk, 300, "BDT")
    assert card["in_stock"] is True
    assert bank.get("gift-cards", name="zebra").json()["data"][0]["in_stock"] is False
    bank.client.program.categories.add(games)
    assert names() == ["Apple 10"]
    assert empty.pk


def test_programmes_that_take_points(bank):
    mine = bank.client.program
    (row,) = bank.get("loyalty_programs").json()["data"]
    assert (row["id"], row["name"], row["least_transfer"]) == (str(mine.pk), mine.name, 1)
    assert bank.get(f"loyalty_programs/{mine.pk}").json()["data"] == row
