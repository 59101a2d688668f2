"""What a code may still become, and what staff are told of it."""

import pytest
from django.utils import timezone

from catalog.tests.factories import PartnerFactory, VariantFactory
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.ciphers import Unreadable, resealed, seal, unseal
from vouchers.models import Batch, Voucher
from vouchers.selectors import available_by_variant, judged, units_of_order
from vouchers.services import CodeTaken, release_item, void_replaced
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def test_only_what_nobody_has_is_free():
    item = OrderItemFactory()
    VoucherFactory(order_item=item)
    VoucherFactory(variant=item.variant, status="void")
    assert available_by_variant([item.variant_id], now=timezone.now()) == {}
    VoucherFactory(variant=item.variant)
    VoucherFactory()
    assert available_by_variant([item.variant_id], now=timezone.now()) == {item.variant_id: 1}


def test_what_is_given_back_has_no_deadline_any_more():
    item = OrderItemFactory(order=OrderFactory())
    VoucherFactory(order_item=item, status="reserved", sold_at=None, reserved_until=timezone.now())
    assert release_item(item) == 1
    row = Voucher.objects.get()
    assert (row.status, row.order_item, row.unit_no, row.reserved_until) == (
        "available", None, None, None,
    )  # fmt: skip


def test_a_bad_code_leaves_its_unit_for_ever_and_keeps_whose_it_was():
    item = OrderItemFactory()
    row = VoucherFactory(order_item=item)
    assert void_replaced(row.pk, by_id=7, reason="does not redeem") == item
    row.refresh_from_db()
    assert (row.status, row.void_reason) == ("void", "does not redeem")
    assert (row.order_item, row.unit_no, row.former_item) == (None, None, item)
    assert row.metadata["replaced"] == {"unit": 1, "by": 7}
    with pytest.raises(CodeTaken):
        void_replaced(row.pk, by_id=7, reason="again")


def test_where_a_unit_came_from():
    """A partner sold it, a supplier's list had it, or somebody typed it."""
    item = OrderItemFactory(quantity=3)
    batch = Batch.objects.create(variant=item.variant, supplier="Acme")
    VoucherFactory(order_item=item, partner=PartnerFactory())
    VoucherFactory(order_item=item, batch=batch)
    VoucherFactory(order_item=item)
    assert [each.source for each in units_of_order(item.order_id)] == ["Zendit", "Acme", ""]


def test_each_code_is_judged_before_anything_is_saved():
    mine, other = OrderItemFactory(quantity=2), OrderItemFactory()
    VoucherFactory(order_item=mine, code="MINE-0001")
    VoucherFactory(order_item=other, code="ELSE-0001")
    VoucherFactory(variant=mine.variant, code="POOL-0001")
    VoucherFactory(variant=VariantFactory(), code="POOL-0002")
    VoucherFactory(variant=mine.variant, code="VOID-0001", status="void")
    said = {
        "NEW-00001": (True, "new"),
        "MINE-0001": (True, "saved for this item already"),
        "ELSE-0001": (False, "belongs to another item"),
        "POOL-0001": (True, "from our pool"),
        "POOL-0002": (False, "in the pool of another variant"),
        "VOID-0001": (False, "void, can never be sold"),
        "new-00001": (False, "given twice"),
    }
    found = judged(list(said), item_id=mine.pk, variant_id=mine.variant_id)
    assert [(each.good, each.words) for each in found] == list(said.values())


def test_the_same_value_under_the_newest_key(settings):
    settings.CODE_KEYS = {"k1": b"1" * 32}
    old = seal(["A-1"], context="attempt")
    settings.CODE_KEYS = {"k2": b"2" * 32, "k1": b"1" * 32}
    new = resealed(old, context="attempt")
    assert new.startswith(b"k2:")
    assert unseal(new, context="attempt") == ["A-1"]
    with pytest.raises(Unreadable):
        resealed(old, context="voucher")
