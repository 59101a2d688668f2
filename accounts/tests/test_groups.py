"""Who may what (D21)."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from accounts.groups import RIGHTS
from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        ("support", ["fulfillment.resend_codes", "orders.view_order"],
         ["fulfillment.recover_order", "fulfillment.override_recipient", "vouchers.reveal_code",
          "vouchers.view_voucher"]),
        ("operator", ["fulfillment.recover_order", "vouchers.reveal_code", "vouchers.add_batch"],
         ["accounts.change_user"]),
        ("finance", ["orders.view_order", "payments.view_payment"],
         ["fulfillment.recover_order", "vouchers.reveal_code"]),
    ],
)  # fmt: skip
def test_rights_of_the_groups(group, may, may_not):
    user = UserFactory(**{group: True})
    assert all(user.has_perm(right) for right in may)
    assert not any(user.has_perm(right) for right in may_not)


def test_the_owners_hold_every_right():
    owners = Group.objects.get(name="owner")
    assert owners.permissions.count() == Permission.objects.count()


def test_migrate_brings_the_table_back():
    support = Group.objects.get(name="support")
    before = set(support.permissions.all())
    support.permissions.set(Permission.objects.filter(codename="reveal_code"))
    call_command("migrate", verbosity=0)
    assert set(support.permissions.all()) == before


@pytest.mark.parametrize(
    "right",
    [
        "fulfillment.recover_order",
        "fulfillment.resend_codes",
        "fulfillment.override_recipient",
        "vouchers.reveal_code",
    ],
)
def test_the_named_rights_exist(right):
    """They belong to apps above and are only words here: no import would notice a rename."""
    app, codename = right.split(".")
    assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()
    assert any(right in rights for rights in RIGHTS.values())
