"""Every mail as its reader's client shows it: both languages, light and dark, desk and phone.

`BDV_PICTURES=docs/images ./run test tests/browser/test_mail_pictures.py` makes the pictures of the
documentation.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from fulfillment.processing import process
from fulfillment.tests.factories import paid_order
from notifications.management.commands.preview_mail import preview_of
from notifications.notices import rendered_mail
from notifications.states import VOUCHERS, Template
from tests.order_mails import renewal_of, subscription_of
from vouchers.tests.factories import VoucherFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RENEWALS = {
    Template.PREBILLING,
    Template.NON_RECURRING_PREBILLING,
    Template.NON_RECURRING_PAYMENT_ATTEMPT,
    Template.NON_RECURRING_PAYMENT_SUBSCRIPTION_EXPIRED,
}
LOOKS = [(680, "light"), (680, "dark"), (390, "light")]
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def order_for(template, language):
    if template in RENEWALS:
        variant = VariantFactory(
            product__name="Netflix", name="Premium, 1 month", price=899, preloaded=True
        )
        return renewal_of(subscription_of(variant=variant), language=language, total_amount=899)
    steam = VariantFactory(product__name="Steam Wallet", name="BDT 500", price=520, preloaded=True)
    for code in ("STM4-9QKX-7TLA", "STM8-2PWN-5RCE"):
        VoucherFactory(
            variant=steam, code=code, serial_number=f"SN-{code[:4]}", pin="4471",
            expires_at=timezone.now() + timedelta(days=365),
        )  # fmt: skip
    card = VariantFactory(product__name="Google Play", name="BDT 100", price=100, preloaded=True)
    VoucherFactory(variant=card, code="GPLY-81KQ-22MP")
    order = paid_order((steam, 2), (card, 1), language=language, total_amount=1140)
    process(order_id=order.pk)
    order.refresh_from_db()
    assert len(mail.outbox) == 1
    return order


@pytest.mark.parametrize("language", ["en", "bn"])
@pytest.mark.parametrize("template", [VOUCHERS, *Template.values])
def test_a_mail_is_fit_to_be_read(chromium, template, language):
    order = order_for(template, language)
    rendered = rendered_mail(preview_of(order, template, language=language), mask_codes=False)
    assert rendered.text.strip()
    folder = os.environ.get("BDV_PICTURES")
    name = f"mail-{template.lower().replace('_', '-')}-{language}"
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.set_content(rendered.html)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 700})
        page.emulate_media(color_scheme=scheme)
        assert not page.evaluate(TOO_WIDE), f"wider than {width}"
        if folder and (width, scheme) == LOOKS[0]:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    context.close()
