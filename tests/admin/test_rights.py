"""Who may press which button, and what no page ever shows or does."""

import pytest
from django.contrib import admin
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from catalog.tests.factories import SourceFactory
from fulfillment.processing import process
from fulfillment.tests.factories import (
    everything,
    item_of,
    paid_order,
    pool_of,
    stuck_order,
)
from notifications.models import AdminAlert
from tests.admin.desk import Page

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"
ROLES = ["support", "operator", "finance", "owner"]
CODE, PIN = "CANARY-7Q2X-9M4K-ZZ81", "5519"


RIGHTS = {  # role -> may recover, may resend, may send elsewhere
    "support": (False, True, False),
    "operator": (True, True, True),
    "finance": (False, False, False),
    "owner": (True, True, True),
}


@pytest.mark.parametrize("role", ROLES)
def test_every_button_asks_its_right(client, sign_in, role):
    may_recover, may_resend, may_elsewhere = RIGHTS[role]
    page, _ = Page(client), sign_in(role)
    stuck, done = stuck_order(), paid_order((pool_of("ABCD-1234"), 1))
    SourceFactory(variant=stuck.items.get().variant)
    process(order_id=done.pk)
    mail.outbox.clear()
    before = everything()
    told = page.get(stuck).content.decode()
    assert ("enter-codes/" in told, "/retry/" in told) == (may_recover, may_recover)
    assert ("/resend/" in page.get(done).content.decode()) is may_resend
    assert page.get(stuck, "enter-codes").status_code == (200 if may_recover else 403)
    if not may_recover:
        assert page.enter(stuck, "A-1").status_code == 403
        assert page.post(stuck, "retry", item=item_of(stuck).pk).status_code == 403
    if not may_elsewhere:
        assert page.post(done, "resend", to="other@example.com").status_code == 403
    if not may_resend:
        assert page.post(done, "resend").status_code == 403
    assert everything() == before
    assert mail.outbox == []
    if may_resend:
        own = done.recipient_email.upper()
        assert page.post(done, "resend", to=own).status_code == 302
        assert len(mail.outbox) == 1


def test_no_action_by_get_nor_without_token_nor_for_strangers(client, sign_in):
    order, page = stuck_order(), Page(client)
    assert page.get(order).status_code == 302  # to the sign-in
    client.force_login(UserFactory())  # a customer
    assert page.get(order).status_code == 302
    user = sign_in("operator")
    assert page.get(order, "retry").status_code == 405
    assert page.get(order, "resend").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    for what in ("enter-codes", "retry", "resend"):
        assert strict.post(f"{LIST}{order.pk}/{what}/").status_code == 403
    assert client.get(f"{LIST}999999/change/").status_code == 404


def test_nothing_of_value_can_be_deleted_or_made_by_hand(client, sign_in, rf):
    kept = {
        "order", "payment", "gatewaycallback", "voucher", "batch", "codereveal", "emailmessage",
        "adminalert", "fulfillmentattempt", "partnertransaction",
    }  # fmt: skip
    request = rf.get("/")
    request.user = sign_in("owner")
    for model, page in admin.site._registry.items():
        if model._meta.model_name not in kept:
            continue
        kept.discard(model._meta.model_name)
        assert not page.has_delete_permission(request), model
        assert not page.has_add_permission(request), model
        assert not page.has_change_permission(request), model
    assert kept == set()


def test_alerts_are_seen_and_closed_by_hand_but_not_those_of_an_open_debt(client, sign_in):
    stuck = stuck_order()
    owed = AdminAlert.objects.get(order=stuck)
    other = AdminAlert.objects.create(
        order=stuck, kind="surplus_code", message="m", created_at=timezone.now()
    )
    rows = {"_selected_action": [owed.pk, other.pk]}
    address = "/admin/notifications/adminalert/"
    sign_in("support")
    client.post(address, {"action": "resolve"} | rows)
    assert AdminAlert.objects.filter(resolved_at=None).count() == 2
    user = sign_in("operator")
    client.post(address, {"action": "acknowledge"} | rows)
    client.post(address, {"action": "resolve"} | rows)
    owed.refresh_from_db()
    other.refresh_from_db()
    assert (owed.acknowledged_by, owed.resolved_at) == (user, None)
    assert (other.resolved_by, other.resolution_notes) == (user, "Closed by hand.")


def test_no_page_shows_a_code(client, page):
    order = stuck_order()
    page.enter(order, f"{CODE} | {PIN}", notes="n")
    order.refresh_from_db()
    assert order.status == "SUCCEEDED"
    client.force_login(UserFactory(owner=True))
    seen = 0
    for address in every_address():
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert CODE not in text, address
        assert "7Q2X" not in text, address
        assert f">{PIN}<" not in text, address
        seen += 1
    assert seen > 25
    assert "••••ZZ81" in page.get(order).content.decode()


def every_address():
    """The list and the first page of everything that is registered, and the landing page."""
    yield "/admin/"
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        row = model._default_manager.first()
        if row is not None:
            yield reverse(f"{name}_change", args=[row.pk])
        fields = [str(field) for field in page.list_display]
        assert not {"secret", "fingerprint", "words", "codes"} & set(fields)
