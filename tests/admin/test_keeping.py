"""What staff keep by hand: discount codes, accounts, groups, partners."""

from datetime import timedelta
from decimal import Decimal

import pytest
import responses
from django.contrib.auth.models import Group, Permission
from django.db.models import F
from django.utils import timezone

from accounts.groups import RIGHTS
from accounts.models import User
from accounts.tests.factories import UserFactory
from catalog.tests.factories import PartnerFactory
from fulfillment.models import PartnerHealth
from fulfillment.tests.partner import BASE
from orders.models import DiscountCode
from orders.tests.factories import OrderFactory

pytestmark = pytest.mark.django_db
CODES = "/admin/orders/discountcode/"


def discount(**fields):
    given = {"code": "EID20", "discount_type": "percentage", "discount_value": 20}
    return DiscountCode.objects.create(**given | fields)


def sent(**fields):
    given = {"code": "eid20", "discount_type": "percentage", "discount_value": "20",
             "is_active": "on", "description": "Eid"}  # fmt: skip
    return given | fields


def errors_of(answer):
    assert answer.status_code == 200
    return {name: list(each) for name, each in answer.context["adminform"].form.errors.items()}


def test_a_discount_is_made_and_changed_under_the_rules_of_the_api(client, sign_in):
    sign_in("operator")
    assert client.post(f"{CODES}add/", sent()).status_code == 302
    made = DiscountCode.objects.get()
    assert (made.code, made.discount_value, made.description) == ("EID20", 20, "Eid")
    assert "code" in errors_of(client.post(f"{CODES}add/", sent()))
    wrong = sent(code="X1", discount_value="120")
    assert errors_of(client.post(f"{CODES}add/", wrong)) == {
        "discount_value": ["A percentage is at most 100."]
    }
    backwards = sent(code="X2", starts_at_0="2026-05-02", starts_at_1="00:00",
                     ends_at_0="2026-05-01", ends_at_1="00:00")  # fmt: skip
    assert "ends_at" in errors_of(client.post(f"{CODES}add/", backwards))
    DiscountCode.objects.update(used_count=3)
    page = f"{CODES}{made.pk}/change/"
    assert "usage_limit" in errors_of(client.post(page, sent(usage_limit="2")))
    assert DiscountCode.objects.count() == 1


def test_a_use_while_the_page_is_open_is_not_lost(client, sign_in, monkeypatch):
    sign_in("operator")
    made = discount(usage_limit=10)
    from orders import discount_admin

    change = discount_admin.change_discount

    def used_meanwhile(pk, fields):
        DiscountCode.objects.update(used_count=F("used_count") + 1)
        return change(pk, fields)

    monkeypatch.setattr(discount_admin, "change_discount", used_meanwhile)
    client.post(f"{CODES}{made.pk}/change/", sent(usage_limit="10", description="New"))
    made.refresh_from_db()
    assert (made.description, made.used_count) == ("New", 1)


def test_only_a_discount_that_no_order_used_is_deleted(client, sign_in):
    sign_in("operator")
    used, unused = discount(), discount(code="NEVER")
    OrderFactory(discount=used)
    for row, status in ((used, 403), (unused, 302)):
        assert client.post(f"{CODES}{row.pk}/delete/", {"post": "yes"}).status_code == status
    assert list(DiscountCode.objects.all()) == [used]
    sign_in("support")
    assert client.post(f"{CODES}{used.pk}/change/", sent()).status_code == 403


def test_discounts_are_found_by_their_standing(client, sign_in):
    sign_in("operator")
    now, day = timezone.now(), timedelta(days=1)
    discount(code="GOOD", ends_at=now + day)
    discount(code="LATER", starts_at=now + day)
    discount(code="OVER", ends_at=now - day)
    discount(code="USEDUP", usage_limit=1, used_count=1)
    discount(code="OFF", is_active=False)
    for standing, code in (("good", "GOOD"), ("later", "LATER"), ("over", "OVER"),
                           ("used_up", "USEDUP")):  # fmt: skip
        rows = client.get(f"{CODES}?standing={standing}").context["cl"].result_list
        assert [row.code for row in rows] == [code]
    told = client.get(CODES).content.decode()
    for words in ("Good", "Not yet", "Over", "Used up", "Switched off", "1 of 1", "20 %"):
        assert words in told


def test_the_shops_own_groups_are_looked_at_and_others_are_made(client, sign_in):
    sign_in("owner")
    operators = Group.objects.get(name="operator")
    held = operators.permissions.count()
    page = f"/admin/auth/group/{operators.pk}/change/"
    assert "recover" in client.get(page).content.decode()
    client.post(page, {"name": "renamed", "permissions": []})
    operators.refresh_from_db()
    assert (operators.name, operators.permissions.count()) == ("operator", held)
    assert held == len(RIGHTS["operator"])
    gone = f"/admin/auth/group/{operators.pk}/delete/"
    assert client.post(gone, {"post": "yes"}).status_code == 403
    right = Permission.objects.get(codename="recover_order")
    client.post("/admin/auth/group/add/", {"name": "night shift", "permissions": [right.pk]})
    made = Group.objects.get(name="night shift")
    assert list(made.permissions.all()) == [right]
    UserFactory(operator=True).groups.add(made)
    assert client.post(f"/admin/auth/group/{made.pk}/delete/", {"post": "yes"}).status_code == 403
    made.user_set.clear()
    assert client.post(f"/admin/auth/group/{made.pk}/delete/", {"post": "yes"}).status_code == 302


def test_rights_are_looked_up_and_by_owners_only(client, sign_in):
    asked = {"app_label": "auth", "model_name": "group", "field_name": "permissions",
             "term": "recover"}  # fmt: skip
    sign_in("operator")
    assert client.get("/admin/autocomplete/", asked).status_code == 403
    sign_in("owner")
    found = client.get("/admin/autocomplete/", asked).json()["results"]
    assert any("recover" in each["text"] for each in found)
    assert "auth/permission" not in client.get("/admin/").content.decode()


def test_nobody_takes_their_own_rights_away_or_gives_them_to_themselves(client, sign_in):
    chief = UserFactory(owner=True, is_superuser=True)
    client.force_login(chief)
    page = {"email": chief.email, "name": "Chief", "language": "en", "groups": []}
    assert client.post(f"/admin/accounts/user/{chief.pk}/change/", page).status_code == 302
    chief.refresh_from_db()
    assert (chief.name, chief.is_active, chief.is_superuser) == ("Chief", True, True)
    other = UserFactory(operator=True)
    page = {"email": other.email, "name": "Off", "language": "en", "groups": []}
    client.post(f"/admin/accounts/user/{other.pk}/change/", page)
    other.refresh_from_db()
    assert (other.is_active, other.groups.count()) == (False, 0)


def test_a_customers_page_offers_no_rights(client, sign_in):
    client.force_login(UserFactory(owner=True, is_superuser=True))
    customer = UserFactory()
    told = client.get(f"/admin/accounts/user/{customer.pk}/change/").content.decode()
    assert "Orders of this customer" in told
    assert "superuser" not in told.lower()
    sent = {"email": "a@b.example", "name": "A", "language": "bn", "is_active": "on",
            "groups": [Group.objects.get(name="owner").pk], "is_superuser": "on"}  # fmt: skip
    client.post(f"/admin/accounts/user/{customer.pk}/change/", sent)
    customer = User.objects.get(pk=customer.pk)
    assert (customer.email, customer.is_superuser) == ("a@b.example", False)
    assert customer.groups.count() == 0


def test_a_partners_page_has_the_button_that_asks_it(client, sign_in, zendit, wire):
    partner = PartnerFactory(slug="zendit", name="Zendit")
    page = f"/admin/catalog/partner/{partner.pk}/change/"
    sign_in("support")
    assert "Check the connection" not in client.get(page).content.decode()
    assert client.post(f"/admin/catalog/partner/{partner.pk}/check/").status_code == 403
    assert not PartnerHealth.objects.exists()
    sign_in("operator")
    assert "Check the connection" in client.get(page).content.decode()
    wire.add(
        responses.GET,
        f"{BASE}/balance",
        json={"availableBalance": 9950, "currencyDivisor": 100, "currency": "USD"},
    )
    told = client.post(f"/admin/catalog/partner/{partner.pk}/check/", follow=True)
    assert "Zendit answers. Balance: 99.50 USD." in told.content.decode()
    assert PartnerHealth.objects.get().balance == Decimal("99.5")
    assert zendit.bodies == []
    assert client.get(f"/admin/catalog/partner/{partner.pk}/check/").status_code == 405
    supplier = PartnerFactory(slug="acme", name="Acme")
    told = client.get(f"/admin/catalog/partner/{supplier.pk}/change/").content.decode()
    assert "Check the connection" not in told
