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


def test_rights_of_recovery_exist():
    """Words of other apps can't be checked by an import."""
    there = {
        f"{right.content_type.app_label}.{right.codename}"
        for right in Permission.objects.select_related("content_type")
    }
    assert {word for word in RIGHTS["operator"] if word.startswith("fulfillment.")} <= there
