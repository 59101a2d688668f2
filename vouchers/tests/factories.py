"""Codes to test with: `VoucherFactory()` is free, `VoucherFactory(order_item=item)` is sold."""

from datetime import UTC, datetime

import factory

from catalog.tests.factories import VariantFactory
from vouchers.ciphers import Secret, fingerprint, mask, seal_secret, words_of
from vouchers.models import Voucher
from vouchers.states import VoucherStatus


class VoucherFactory(factory.django.DjangoModelFactory):
    """`code`, `pin` and `redemption_url` are sealed as the shop seals them.

    With an `order_item` it is the next unit of that item, sold; trait `used` for one redeemed.
    """

    class Meta:
        model = Voucher

    class Params:
        code = factory.Sequence(lambda n: f"CODE-{n:04d}-TEST")
        pin = ""
        redemption_url = ""
        identity = factory.LazyAttribute(lambda voucher: voucher.code or voucher.redemption_url)
        used = factory.Trait(
            status=VoucherStatus.USED, used_at=datetime(2026, 4, 28, 9, tzinfo=UTC)
        )

    order_item = None
    variant = factory.Maybe(
        "order_item",
        factory.SelfAttribute("order_item.variant"),
        factory.SubFactory(VariantFactory),
    )
    status = factory.Maybe("order_item", VoucherStatus.SOLD, VoucherStatus.AVAILABLE)
    unit_no = factory.Maybe(
        "order_item",
        factory.LazyAttribute(lambda voucher: voucher.order_item.vouchers.count() + 1),
        None,
    )
    sold_at = factory.Maybe("order_item", datetime(2026, 4, 27, 14, 1, tzinfo=UTC), None)
    secret = factory.LazyAttribute(
        lambda voucher: seal_secret(Secret(voucher.code, voucher.pin, voucher.redemption_url))
    )
    fingerprint = factory.LazyAttribute(lambda voucher: fingerprint(voucher.identity))
    words = factory.LazyAttribute(lambda voucher: words_of(voucher.identity))
    mask = factory.LazyAttribute(lambda voucher: mask(voucher.identity))
