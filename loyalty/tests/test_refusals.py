"""Every code and every message of the contract, by the request that provokes it, over HTTP."""

import uuid

import pytest

from catalog.tests.factories import CategoryFactory, VariantFactory
from fulfillment.tests.factories import pool_of
from loyalty.models import FulfillmentOrder, MembershipRule, ProgramMember
from loyalty.tests.bank import MEMBER, refused
from loyalty.tests.factories import AccountFactory, ClientFactory, ProgramFactory
from orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["", "/api/v1"], ids=["literal", "versioned"])
def bank(request, bank):
    bank.prefix = request.param
    return bank


@pytest.fixture
def card():
    return pool_of("GIFT-0001", "GIFT-0002")


@pytest.fixture(autouse=True)
def _nothing_is_kept(db, request):
    yield
    if "nn1011" not in request.node.name:
        assert FulfillmentOrder.objects.count() == Order.objects.count() == 0


def test_1_recipient_is_required(bank, card):
    words = "recipient is required for gift card order"
    refused(bank.order(bank.card(card, recipient=...)), 400, "NN1001", words)
    refused(bank.order(bank.card(card, recipient=None)), 400, "NN1001", words)
    body = {"reference": "r", "user": {"id": bank.user_id}, "gift_cards": [{"gift_card_id": 1}]}
    refused(bank.order(body, "/gift-cards"), 400, "NN1001", words)


def test_2_one_item_only(bank, card):
    words = "order_items multiple order items are not supported yet."
    item = {"type": "gift_card", "gift_card_id": card.pk}
    refused(bank.order(bank.card(card, order_items=[item, item])), 400, "NN1001", words)
    refused(bank.order(bank.card(card, order_items=[{}, "x", 7])), 400, "NN1001", words)
    cards = [{"gift_card_id": card.pk}] * 2
    body = {"reference": "r", "user": {"id": bank.user_id}, "gift_cards": cards}
    refused(bank.order(body, "/gift-cards"), 400, "NN1001", words)


@pytest.mark.parametrize("kind", ["crypto", "", "GIFT_CARD", 7, None, ["gift_card"], ...])
def test_3_an_item_type_that_is_none(bank, card, kind):
    item = {"gift_card_id": card.pk} | ({} if kind is ... else {"type": kind})
    answer = bank.order(bank.card(card, order_items=[item]))
    refused(answer, 400, "NN1001", "invalid order item type")


def test_4_a_type_that_is_not_enabled(bank, card):
    words = "order_item_type redemption is not enabled."
    program = bank.client.program
    program.item_types = ["points_transfer"]
    program.save()
    refused(bank.order(bank.card(card)), 400, "NN1001", words)
    program.item_types = ["gift_card"]
    program.save()
    refused(bank.order(bank.points()), 400, "NN1001", words)
    program.item_types = ["gift_card", "points_transfer"]
    program.is_active = False
    program.save()
    refused(bank.order(bank.card(card)), 400, "NN1001", words)


@pytest.mark.parametrize("user_id", ["", "7", 7, None, ["x"], "g" * 36, ...])
def test_5_a_user_that_is_no_uuid(bank, card, user_id):
    words = "user_id is not a valid UUID"
    refused(bank.order(bank.card(card, user_id=user_id)), 400, "NN1001", words)
    user = {} if user_id is ... else {"id": user_id}
    body = {"reference": "r", "user": user, "gift_cards": [{"gift_card_id": card.pk}]}
    refused(bank.order(body, "/gift-cards"), 400, "NN1001", words)


def test_5_also_where_gift_cards_are_listed(bank):
    words = "user_id is not a valid UUID"
    refused(bank.get("gift-cards", user_id="me"), 400, "NN1001", words)
    refused(bank.get("fulfillment-orders", user_id="me"), 400, "NN1001", words)


@pytest.mark.parametrize("membership", [..., None, {"id": " - "}])
def test_6_membership_is_missing(bank, membership):
    words = "membership is missing"
    refused(bank.order(bank.points(membership=membership)), 400, "NN1001", words)
    path = f"loyalty_programs/{bank.client.program.pk}/validate_membership"
    body = {} if membership is ... else {"membership": membership}
    refused(bank.ask("post", path, body), 400, "NN1001", words)


def test_7_which_of_several_accounts(bank, card):
    for _ in range(2):
        AccountFactory(program=bank.client.program, user_id=bank.user_id)
    words = "points_account_id is required when user has multiple points accounts"
    refused(bank.order(bank.card(card)), 400, "NN1001", words)
    refused(bank.order(bank.points()), 400, "NN1001", words)


@pytest.mark.parametrize("kind", ["no_uuid", "unknown", "of_another_user", "of_another_programme"])
def test_8_an_account_that_is_not_there(bank, card, kind):
    wanted = {
        "no_uuid": "xxxx",
        "unknown": str(uuid.uuid4()),
        "of_another_user": str(AccountFactory(program=bank.client.program).pk),
        "of_another_programme": str(AccountFactory(user_id=bank.user_id).pk),
    }[kind]
    words = f"PointsAccount not found for id: {wanted}"
    refused(bank.order(bank.card(card, points_account_id=wanted)), 400, "NN1001", words)
    refused(bank.order(bank.points(points_account_id=wanted)), 400, "NN1001", words)


def test_nn1002_what_is_not_there(bank, card):
    gone, nobody = "Gift card not found.", str(uuid.uuid4())
    items = [{"type": "gift_card", "gift_card_id": card.pk + 1000}]
    refused(bank.order(bank.card(card, order_items=items)), 404, "NN1002", gone)
    card.is_active = False
    card.save()
    refused(bank.order(bank.card(card)), 404, "NN1002", gone)

    missing = "Loyalty program not found."
    for key in (nobody, "x"):
        item = {"type": "points_transfer", "loyalty_program_id": key, "amount": 5}
        refused(bank.order(bank.points(order_items=[item])), 404, "NN1002", missing)
        refused(bank.get(f"loyalty_programs/{key}"), 404, "NN1002", missing)
        path = f"loyalty_programs/{key}/validate_membership"
        refused(bank.ask("post", path, {"membership": MEMBER}), 404, "NN1002", missing)
        refused(bank.get(f"fulfillment-orders/{key}"), 404, "NN1002", "Order not found.")
    closed = ProgramFactory(partner="", partner_program_code="")
    refused(bank.order(bank.points(closed)), 404, "NN1002", missing)


def test_a_gift_card_of_a_category_that_is_not_offered(bank, card):
    bank.client.program.categories.add(CategoryFactory())
    refused(bank.order(bank.card(card)), 404, "NN1002", "Gift card not found.")


def test_nn1011_a_reference_that_was_used(bank, card):
    body = bank.card(card)
    assert bank.order(body).status_code == 201
    words = "Reference ID already exists."
    refused(bank.order(body), 409, "NN1011", words)
    refused(bank.order(bank.points(reference=body["reference"])), 409, "NN1011", words)
    assert Order.objects.count() == FulfillmentOrder.objects.count() == 1
    bank.client = ClientFactory(program=bank.client.program)  # another client's own references
    assert bank.order(body).status_code == 201


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        ({"kind": "pattern", "pattern": "M[0-9]{4}"}, "X1001"),
        ({"kind": "length", "shortest": 5, "longest": 6}, "M1001234"),
        ({"kind": "check_digit", "check_digit": "luhn"}, "79927398710"),
    ],
)
def test_nn1301_the_engine_objects(bank, rule, bad):
    MembershipRule.objects.create(program=bank.client.program, **rule)
    member = MEMBER | {"id": bad}
    words = "Member identifier is invalid."
    refused(bank.order(bank.points(membership=member)), 422, "NN1301", words)
    path = f"loyalty_programs/{bank.client.program.pk}/validate_membership"
    refused(bank.ask("post", path, {"membership": member}), 422, "NN1301", words)


def test_nn1301_a_member_who_may_not_at_the_order(bank):
    ProgramMember.objects.create(
        program=bank.client.program, member_id="M1001", standing="suspended"
    )
    refused(bank.order(bank.points()), 422, "NN1301", "The member's account is suspended.")


def test_nn1301_an_id_longer_than_any(bank):
    member = MEMBER | {"id": "9" * 60}
    refused(
        bank.order(bank.points(membership=member)), 422, "NN1301", "Member identifier is invalid."
    )


def validate(bank, **member):
    path = f"loyalty_programs/{bank.client.program.pk}/validate_membership"
    return bank.ask("post", path, {"membership": MEMBER | member})


def test_tc40000_not_on_the_programmes_list(bank):
    MembershipRule.objects.create(program=bank.client.program, kind="known_member")
    words = "The programme does not accept this member id."
    refused(validate(bank), 422, "TC40000", words)
    ProgramMember.objects.create(program=bank.client.program, member_id="M1001")
    assert validate(bank).status_code == 200


def test_tc40001_another_name(bank):
    program = bank.client.program
    MembershipRule.objects.create(program=program, kind="name_match")
    ProgramMember.objects.create(program=program, member_id="M1001", name="ISLAM Nádia")
    assert validate(bank).status_code == 200
    words = "The member's name does not match the programme's record."
    refused(validate(bank, first_name="Rahim"), 422, "TC40001", words)
    refused(validate(bank, first_name="", last_name=""), 422, "TC40001", words)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("ineligible", "not eligible"),
        ("inactive", "inactive"),
        ("suspended", "suspended"),
        ("needs_activation", "not activated yet"),
        ("tier", "of a tier that takes no transfers"),
    ],
)
def test_tc40002_an_account_that_is_not_eligible(bank, standing, words):
    ProgramMember.objects.create(program=bank.client.program, member_id="M1001", standing=standing)
    refused(validate(bank), 422, "TC40002", f"The member's account is {words}.")


def test_tc40010_blocked(bank):
    ProgramMember.objects.create(program=bank.client.program, member_id="M1001", standing="blocked")
    words = "The membership was rejected; nothing will be transferred."
    refused(validate(bank), 422, "TC40010", words)


def test_the_programme_itself_is_asked(bank, points):
    MembershipRule.objects.create(program=bank.client.program, kind="ask_programme")
    assert validate(bank).json()["data"] == {
        "valid": True, "loyalty_program_id": str(bank.client.program.pk), "membership_id": "M1001",
    }  # fmt: skip
    points.fault("points", "check", "refused", code="TC40002", times=1)
    refused(validate(bank), 422, "TC40002", "The programme refuses the member")
    points.fault("points", "check", "refused", code="something_else", times=1)
    refused(validate(bank), 422, "TC40000", "The programme refuses the member")


@pytest.mark.parametrize("fault", ["error_500", "cut", "invalid_json", "unauthorized"])
def test_tc40101_the_programme_gives_no_answer(bank, points, fault):
    MembershipRule.objects.create(program=bank.client.program, kind="ask_programme")
    points.fault("points", "check", fault)
    words = "The programme could not be asked about this member."
    refused(validate(bank), 422, "TC40101", words)


@pytest.mark.parametrize(
    ("name", "value"), [("page", "x"), ("limit", "101"), ("limit", "-1"), ("sort", "price")]
)
def test_af2001_a_parameter_of_the_wrong_type(bank, name, value):
    answer = bank.get("gift-cards", **{name: value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "AF2001")


def test_af2006_a_programme_that_is_closed(bank):
    bank.client.program.is_active = False
    bank.client.program.save()
    refused(bank.get("gift-cards"), 404, "AF2006", "The programme is not active.")


def test_nn0001_what_nobody_expected(bank, card, monkeypatch):
    """The database goes away in the middle of a request."""

    def broken(*args, **kwargs):
        raise RuntimeError("secret inside")

    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr("django.db.models.query.QuerySet.exists", broken)
        answer = bank.order(bank.card(card))
        words = "An unexpected error occurred while processing the request."
        refused(answer, 500, "NN0001", words)


@pytest.mark.parametrize("amount", [0, -5, 10_000_001])
def test_an_amount_out_of_range(bank, amount):
    items = bank.points()["order_items"]
    answer = bank.order(bank.points(order_items=[items[0] | {"amount": amount}]))
    refused(answer, 400, "NN1001", "amount must be a whole number from 1 to 10000000")


@pytest.mark.parametrize("version", [None, "", "1.2", "0.9", "1", "one", "-1.3"])
def test_a_version_that_knows_no_fulfilment_orders(bank, card, version):
    words = "X-Ascenda-Version must be 1.3 or later"
    answer = bank.order(bank.card(card), HTTP_X_ASCENDA_VERSION=version or "")
    refused(answer, 400, "NN1001", words)


def test_later_versions_are_welcome(bank):
    for version in ("1.3", "1.3.1", "1.10", "2.0"):
        assert bank.ask("get", "gift-cards", HTTP_X_ASCENDA_VERSION=version).status_code == 200


def test_a_card_that_is_sold_out(bank):
    answer = bank.order(bank.card(VariantFactory(preloaded=True)))
    refused(answer, 400, "NN1001", "items.0.quantity: Only 0 of 1 left.")
