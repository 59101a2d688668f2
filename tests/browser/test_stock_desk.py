"""Codes are imported, and the catalogue is edited, in a real browser under our own policy."""

import pytest

from catalog.tests.factories import SourceFactory
from fulfillment.stocking import work_on_import
from fulfillment.tests.factories import pool_of
from tests.browser.test_order_desk import desk  # noqa: F401 - a fixture
from vouchers.ciphers import unseal_secret
from vouchers.models import Batch, Voucher

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FILE = b"code,pin,expiry\n0012345678,0042,\nHELD-0001,,\nABCD-0001,,2020-01-31\n,9,\n0012345678,,\n"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("desk", [(1280, "light"), (1280, "dark"), (390, "light")], indirect=True)
def test_an_import_shows_its_errors_by_row(desk, complaints):  # noqa: F811
    variant = pool_of("HELD-0001", product__name="Free Fire", name="100 Diamonds")
    desk.goto("/admin/vouchers/batch/")
    desk.get_by_role("link", name="Import codes").click()
    desk.locator(".select2-selection").click()
    desk.locator(".select2-search__field").fill("Free")
    desk.get_by_role("option", name="Free Fire - 100 Diamonds").click()
    desk.get_by_label("Supplier").fill("Acme Vouchers")
    desk.get_by_label("Cost a code, BDT").fill("95.50")
    desk.get_by_label("CSV or XLSX").set_input_files(
        {"name": "codes.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    assert not desk.evaluate(WIDER)
    desk.get_by_role("button", name="Read them").click()
    desk.get_by_role("heading", name="Reading").wait_for()
    batch = Batch.objects.get()
    work_on_import(batch.pk)
    desk.get_by_role("button", name="Import 1 code, leave 4 out").wait_for()
    for words in ("We hold this code already.", "It expired on 31 Jan 2020.",
                  "There is a PIN but no code.", "This code stands in row 2 already."):  # fmt: skip
        assert desk.get_by_text(words).is_visible()
    assert "0012345678" not in desk.content()
    assert not desk.evaluate(WIDER)
    desk.get_by_role("button", name="Import 1 code, leave 4 out").click()
    desk.get_by_role("heading", name="Going into the pool").wait_for()
    work_on_import(batch.pk)
    desk.get_by_role("heading", name="Its codes now").wait_for()
    row = Voucher.objects.get(batch=batch)
    assert unseal_secret(row.secret).code == "0012345678"
    assert row.variant == variant
    desk.get_by_label("Reason").fill("the supplier recalled them")
    desk.get_by_role("button", name="Void 1 unsold").click()
    desk.get_by_text("1 unsold codes are void").wait_for()
    row.refresh_from_db()
    assert (row.status, row.void_reason) == ("void", "the supplier recalled them")
    assert str(row.voided_by) == "Olivia Operator"
    assert complaints == []


def test_a_pasted_mail_shows_what_was_not_understood(desk, complaints):  # noqa: F811
    variant = pool_of()
    desk.goto(f"/admin/vouchers/batch/import/?variant={variant.pk}")
    desk.get_by_label("Supplier").fill("Acme Vouchers")
    desk.get_by_label("Or paste").fill("Dear partner,\nCode: ABCD-1234-EFGH\nPIN: 0042\n")
    desk.get_by_role("button", name="Read them").click()
    desk.get_by_role("heading", name="Reading").wait_for()
    work_on_import(Batch.objects.get().pk)
    desk.get_by_role("button", name="Import 1 code, leave 1 out").wait_for()
    assert desk.get_by_text("Dear partner,").is_visible()
    desk.get_by_role("button", name="Do not import").click()
    desk.get_by_text("Nothing was imported").wait_for()
    assert complaints == []


def test_prices_and_priorities_are_edited_in_the_list(desk, complaints):  # noqa: F811
    source = SourceFactory(priority=5)
    variant = source.variant
    desk.goto("/admin/catalog/variant/")
    desk.locator("input[name=form-0-price]").fill("123.50")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_text("1 variant was changed successfully.").wait_for()
    desk.locator("input[name=form-0-price]").fill("-1")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_text("greater than or equal to 0").wait_for()
    desk.goto("/admin/catalog/partnersource/")
    desk.locator("input[name=form-0-priority]").fill("2")
    desk.get_by_role("button", name="Save").click()
    desk.get_by_text("was changed successfully.").wait_for()
    source.refresh_from_db()
    variant.refresh_from_db()
    assert (source.priority, str(variant.price)) == (2, "123.50")
    assert complaints == []
