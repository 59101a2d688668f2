"""What changes a voucher (D14, D29, D39; I1, I19)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from core.errors import Conflict
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.ciphers import Secret
from vouchers.models import Voucher
from vouchers.selectors import available_by_variant, codes_of_order, filled_units, vouchers_by_code
from vouchers.services import (
    CodeTaken,
    NewCode,
    import_batch,
    release,
    release_item,
    reserve,
    sell_from_pool,
    sell_reserved,
    sell_typed_row,
    store_issued,
    store_surplus,
    take,
)
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def filled(units, **fields):
    variant = VariantFactory()
    rows = [VoucherFactory(variant=variant, **fields) for _ in range(units)]
    return variant, [row.pk for row in rows]


def states(**filters):
    rows = Voucher.objects.filter(**filters).order_by("pk")
    return list(rows.values_list("status", "order_item", "unit_no"))


def code(text="NEW-0001", **more):
    return NewCode(Secret(text), **more)


def test_taking_goes_by_expiry_then_age_and_leaves_the_expired():
    now = timezone.now()
    variant, _ = filled(2)
    soon = VoucherFactory(variant=variant, expires_at=now + timedelta(days=1))
    VoucherFactory(variant=variant, expires_at=now)
    other, others = filled(1)
    found = take({variant.pk: 9, other.pk: 1}, now=now)
    assert found[other.pk] == others
    assert found[variant.pk][0] == soon.pk
    assert len(found[variant.pk]) == 3


def test_nothing_is_taken_of_what_is_not_there():
    variant = VariantFactory()
    assert take({variant.pk: 1}, now=timezone.now()) == {variant.pk: []}
    assert take({}, now=timezone.now()) == {}


def test_reserving_holds_one_row_a_unit_until_the_deadline():
    variant, _ = filled(3)
    order = OrderFactory()
    items = [OrderItemFactory(order=order, variant=variant, quantity=each) for each in (2, 1)]
    until = timezone.now() + timedelta(minutes=30)
    reserve(items, until=until, now=timezone.now())
    assert states() == [
        ("reserved", items[0].pk, 1), ("reserved", items[0].pk, 2), ("reserved", items[1].pk, 1),
    ]  # fmt: skip
    assert set(Voucher.objects.values_list("reserved_until", flat=True)) == {until}
    assert codes_of_order(order.pk) == []
    assert release_item(items[1]) == 1
    assert release(order) == 2
    assert states() == [("available", None, None)] * 3


def test_too_little_stock_holds_nothing():
    variant, _ = filled(1)
    item = OrderItemFactory(order=OrderFactory(), variant=variant, quantity=2)
    with pytest.raises(Conflict) as refusal:
        reserve([item], until=timezone.now(), now=timezone.now())
    assert [each.message for each in refusal.value.details] == ["Only 1 of 2 left."]
    assert states() == [("available", None, None)]


def test_what_was_held_is_sold_when_paid():
    variant, _ = filled(1)
    order = OrderFactory()
    item = OrderItemFactory(order=order, variant=variant)
    now = timezone.now()
    reserve([item], until=now, now=now)
    order.status, order.paid_at = "PENDING", now
    order.save()
    assert sell_reserved(order, now=now) == 1
    assert states() == [("sold", item.pk, 1)]
    voucher = Voucher.objects.get()
    assert (voucher.sold_at, voucher.reserved_until) == (now, None)


def test_the_pool_fills_units_as_far_as_it_goes():
    variant, (only,) = filled(1)
    item = OrderItemFactory(variant=variant, quantity=3)
    now = timezone.now()
    given = sell_from_pool([item], {item.pk: [2, 3]}, now=now)
    assert given == {item.pk: {2: only}}
    assert filled_units([item.pk]) == {item.pk: {2}}


def test_a_bought_code_is_stored_as_sold_and_never_twice():
    item = OrderItemFactory(quantity=2)
    now = timezone.now()
    store_issued(item, 1, code(serial_number="S-1", metadata={"a": 1}), now=now)
    (kept,) = codes_of_order(item.order_id)
    assert (kept.code, kept.unit_no, kept.serial_number) == ("NEW-0001", 1, "S-1")
    with pytest.raises(CodeTaken):
        store_issued(item, 2, code("new-0001"), now=now)
    assert Voucher.objects.count() == 1


def test_a_link_is_the_code_of_goods_without_one():
    item = OrderItemFactory()
    link = NewCode(Secret("", "", "https://redeem.example/AbC"))
    store_issued(item, 1, link, now=timezone.now())
    assert list(vouchers_by_code(["https://redeem.example/AbC"])) != []


def test_surplus_joins_the_pool_unless_it_was_made_for_one_person():
    item = OrderItemFactory()
    free = store_surplus(item.variant, code("SPARE-1"), former_item=item, personal=False)
    void = store_surplus(item.variant, code("SPARE-2"), former_item=item, personal=True)
    assert (free.status, void.status) == ("available", "void")
    assert {free.former_item, void.former_item} == {item}
    with pytest.raises(CodeTaken):
        store_surplus(item.variant, code("spare-1"), former_item=item, personal=False)


def test_a_typed_row_that_was_sold_meanwhile_is_refused():
    variant, (pk,) = filled(1)
    seen = Voucher.objects.get(pk=pk)
    first, second = (OrderItemFactory(variant=variant) for _ in range(2))
    sell_typed_row(seen, first, 1, now=timezone.now())
    with pytest.raises(CodeTaken):
        sell_typed_row(seen, second, 1, now=timezone.now())
    assert states() == [("sold", first.pk, 1)]


def test_an_import_tells_the_codes_we_hold_already():
    variant = VariantFactory()
    VoucherFactory(code="KNOWN-0001")
    codes = [code("A-0001"), code("known-0001"), code("A-0002"), code(" a-0001")]
    batch, doubles = import_batch(variant, codes, supplier="ACME")
    assert (batch.rows, doubles) == (2, [1, 3])
    assert available_by_variant([variant.pk], now=timezone.now()) == {variant.pk: 2}
