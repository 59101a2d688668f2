"""Every page of the desk as people see it: light, dark, and on a phone.

`BDV_PICTURES=docs/images ./run test tests/browser/test_pictures.py` makes the pictures of the
documentation. Without it the pages are looked at for what a machine can see.
"""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import PASSWORD, UserFactory
from books.tests.test_sums import Shop, paid, refunded
from catalog.models import Variant
from catalog.tests.factories import PartnerFactory, VariantFactory
from core.actors import Actor
from fulfillment.processing import process
from fulfillment.queue import TAB_NAMES
from fulfillment.running import _one_row
from fulfillment.runs import RunWish, plan_run, start_run
from fulfillment.stocking import work_on_import
from fulfillment.tests.factories import paid_order, stuck_order
from orders.claims import claim_order
from orders.models import DiscountCode, Order
from orders.services import note
from payments.tests.factories import PaymentFactory
from tests.browser.watching import watch
from vouchers.imports import About, begin_import, confirm_import
from vouchers.tests.factories import VoucherFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
NAMES = (
    ("Free Fire Diamonds", "100 Diamonds", 95),
    ("Steam Wallet", "BDT 500", 520),
    ("Google Play Gift Card · উপহার কার্ড, শুধু বাংলাদেশের অ্যাকাউন্টে চলে", "USD 10", 1290),
    ("Netflix", "Premium, 1 month, one device, not for accounts of other regions", 899),
)


#: The pictures that the README shows.
KEPT = (
    "dashboard", "order-list", "order-page", "enter-codes", "bulk-dry-run", "bulk-running",
    "import-preview", "books",
)  # fmt: skip
#: What sticks out of the window, unless it scrolls by itself.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")].filter((each) =>
    each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll, .tabs, svg"))
    .map((each) => each.tagName + "." + each.className).slice(0, 8);
}"""


def sticks_out(page):
    """What does not fit its window, in each look; the page is loaded once for all of them."""
    found = {}
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        if too_wide := page.evaluate(TOO_WIDE):
            found[f"{width}-{scheme}"] = too_wide
    return found


def keep(page, name):
    """What the documentation shows, when it is asked for."""
    folder = os.environ.get("BDV_PICTURES")
    if folder and name in KEPT:
        width, scheme = LOOKS[0]
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=Path(folder) / f"{name}.png")


def goods(place, **more):
    name, variant, price = NAMES[place % len(NAMES)]
    return VariantFactory(product__name=name, name=variant, price=price, **more)


def a_night():
    """A shop at 2 a.m.: most is delivered, some is stuck."""
    now = timezone.now()
    operator = UserFactory(operator=True, name="Olivia Operator")
    pool = [goods(place, preloaded=True, low_stock_threshold=3) for place in range(2)]
    for variant in pool:
        for _ in range(17):
            VoucherFactory(variant=variant)
    for hour in range(14):
        for _ in range(1 + hour % 4):
            order = paid_order((pool[hour % 2], 1)) if hour % 5 else paid_order((pool[1], 1))
            process(order_id=order.pk)
            at = now - timedelta(hours=hour, minutes=7)
            Order.objects.filter(pk=order.pk).update(
                paid_at=at, created_at=at - timedelta(minutes=2)
            )
    stuck = []
    for place in range(6):
        order = paid_order(
            (goods(place % 4), 1 + place % 3), (goods((place + 1) % 4), 1),
            fulfillment_input={"player_id": "2839104756"} if place % 2 else {},
            recipient_email=f"customer.{place}@example.com",
        )  # fmt: skip
        PaymentFactory(
            order=order, status="SUCCEEDED", effective=True, paid_at=now, amount=order.total_amount,
            received_amount=order.total_amount, gateway_transaction_id=f"9F3K7Q{place}XM2",
        )  # fmt: skip
        process(order_id=order.pk)
        at = now - timedelta(hours=3, minutes=11 * place)
        Order.objects.filter(pk=order.pk).update(paid_at=at, created_at=at - timedelta(minutes=2))
        stuck.append(order)
    claim_order(stuck[1].pk, operator=operator, now=now)
    note(stuck[0].pk, "Customer called; গ্রাহক অপেক্ষা করছেন। Supplier promises codes by 3 a.m.",
         actor=Actor.of(operator), now=now)  # fmt: skip
    assert Variant.objects.count() > 4
    return stuck[0]


def test_the_desk_is_fit_to_be_seen(chromium, live_server, complaints):
    order = a_night()
    delivered = Order.objects.filter(status="SUCCEEDED").first()
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch(page, live_server.url, complaints)
    user = UserFactory(owner=True, name="Omar Owner")
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    one = f"/admin/orders/order/{order.pk}"
    code = delivered.items.first().vouchers.first()
    done = f"/admin/orders/order/{delivered.pk}"
    pages = {
        "dashboard": "/admin/",
        "order-list": "/admin/orders/order/",
        "order-page": f"{one}/change/?tab=needs_attention",
        "enter-codes": f"{one}/enter-codes/",
        "code": f"{done}/codes/{code.pk}/",
        "mail": f"/admin/notifications/emailmessage/{delivered.emails.first().pk}/change/",
        "delivered": f"{done}/change/",
    }
    for name, address in pages.items():
        assert page.goto(address).status == 200, address
        if name == "enter-codes":
            page.get_by_label("Paste what you have").fill(
                "Dear shop,\nhere are your codes:\nFree Fire Diamonds 100 Diamonds\n"
                "Code: FFDX-81KQ-22MP-7Z4A PIN: 4471\n\nBest regards\nKarim, Codes & Co."
            )
            page.get_by_role("button", name="Read it").click()
            page.get_by_text("1 code understood").wait_for()
        assert sticks_out(page) == {}, name
        keep(page, name)
    context.close()
    assert complaints == []
    assert mail.outbox


def a_back_office():
    """A run planned and one at work, an import read and one in the pool, and a month of books."""
    operator = UserFactory(operator=True, name="Olivia Operator")
    orders = [stuck_order() for _ in range(7)]
    for number, order in enumerate(orders[:6]):
        VoucherFactory(variant=order.items.get().variant, code=f"CAME-{number:04d}-8Q2M")
    wish = RunWish("partner_retry", order_ids=[order.pk for order in orders], per_minute=600,
                   notes="Zendit was down from 01:50 to 02:40")  # fmt: skip
    planned, running = plan_run(wish, operator=operator), plan_run(wish, operator=operator)
    start_run(running.pk)
    for _ in range(4):
        _one_row(running.pk)
    variant = goods(0, preloaded=True, low_stock_threshold=20)
    VoucherFactory(variant=variant, code="FFDX-0001-HELD-7Z4A")
    rows = [f"FFDX-{n:04d}-22MP-7Z4A,{n:04d},2027-12-31" for n in range(40)]
    rows += ["FFDX-0001-HELD-7Z4A,,", "FFDX-0003-22MP-7Z4A,,", ",4471,", "FFDX-99-22MP,,31/01/2020"]
    text = "\n".join(["code,pin,expiry", *rows]).encode()
    about = About(variant, "Karim, Codes & Co.", Decimal("88.50"))
    names = ("diamonds-april.csv", "diamonds-april-again.csv")
    loaded, read = (begin_import(about, text, file_name=n, by_id=operator.pk) for n in names)
    for batch in (loaded, read):
        work_on_import(batch.pk)
    confirm_import(loaded.pk, now=timezone.now())
    work_on_import(loaded.pk)
    shop = Shop()
    shop.batch(12)
    shop.bought(5)
    for place, method in enumerate(("bkash", "nagad", "sslcommerz", "bkash", "paystation")):
        paid(f"{250 + 130 * place}.50", method=method)
    refunded(paid("890.00", method="bkash"), Decimal("300.00"))
    return planned, running, read, loaded


def test_the_back_office_is_fit_to_be_seen(chromium, live_server, complaints):
    planned, running, read, loaded = a_back_office()
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch(page, live_server.url, complaints)
    user = UserFactory(owner=True, is_superuser=True, name="Omar Owner")
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    run, batch = "/admin/fulfillment/recoveryrun", "/admin/vouchers/batch"
    pages = {
        "bulk-dry-run": f"{run}/{planned.pk}/change/",
        "bulk-running": f"{run}/{running.pk}/change/",
        "import-preview": f"{batch}/{read.pk}/change/",
        "books": "/admin/books/bookspage/?first=2026-04-01&last=2026-04-30&by=month",
        "batch": f"{batch}/{loaded.pk}/change/",
        "stock": "/admin/vouchers/stock/",
        "partner": f"/admin/catalog/partner/{PartnerFactory().pk}/change/",
        "discount": f"/admin/orders/discountcode/{a_discount().pk}/change/",
        "discounts": "/admin/orders/discountcode/",
        "groups": "/admin/auth/group/",
        "group": f"/admin/auth/group/{Group.objects.get(name='operator').pk}/change/",
        "account": f"/admin/accounts/user/{running.created_by_id}/change/",
        "accounts": "/admin/accounts/user/",
        "variant": f"/admin/catalog/variant/{read.variant_id}/change/",
        "variants": "/admin/catalog/variant/",
    }
    for name, address in pages.items():
        assert page.goto(address).status == 200, address
        assert sticks_out(page) == {}, name
        keep(page, name)
    context.close()
    assert complaints == []


def every_page():
    """Each list of the site and the newest row of each, the tabs of the queue, one's own pages."""
    yield from (f"/admin/orders/order/?tab={tab}" for tab in TAB_NAMES)
    yield from ("/admin/second-factor/", "/admin/password_change/")
    for model in site._registry:
        where = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{where}_changelist")
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            yield reverse(f"admin:{where}_change", args=[row.pk])


def test_every_page_fits_its_window(chromium, live_server, complaints):
    a_night()
    a_back_office()
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch(page, live_server.url, complaints)
    user = UserFactory(owner=True, is_superuser=True, name="Omar Owner")
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    wrong = {}
    for address in every_page():
        status = page.goto(address).status
        found = sticks_out(page)
        if status != 200 or found:
            wrong[address] = (status, found)
    context.close()
    assert wrong == {}
    assert complaints == []


def a_discount():
    return DiscountCode.objects.create(
        code="EID20", discount_type="percentage", discount_value=20, maximum_amount=150,
        usage_limit=500, used_count=117, description="Eid: 20 % off",
    )  # fmt: skip


def test_nobody_is_needed_in_an_empty_shop(chromium, live_server, complaints):
    context = chromium.new_context(base_url=live_server.url)
    page = context.new_page()
    watch(page, live_server.url, complaints)
    user = UserFactory(support=True)
    page.goto("/admin/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Every paid order is delivered. Nothing to do.").wait_for()
    page.goto("/admin/orders/order/")
    page.get_by_text("Every paid order is delivered. Nothing to do.").wait_for()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    stuck_order()
    page.reload()
    page.get_by_text("By root cause").wait_for()
    context.close()
    assert complaints == []
