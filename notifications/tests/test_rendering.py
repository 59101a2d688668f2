import tomllib
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from notifications.models import EmailMessage
from notifications.rendering import (
    LANGUAGES,
    ForeignCode,
    MailedCode,
    Rendered,
    WaitingUnit,
    contents,
    masked,
    render,
)
from notifications.tests.factories import EmailMessageFactory
from orders.models import Order, OrderItem
from orders.tests.factories import OrderFactory, OrderItemFactory
from vouchers.tests.factories import VoucherFactory

YEAR_END = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
PLAY = MailedCode(
    item_id=1,
    product="Google Play Gift Card",
    variant="BDT 500",
    code="ABCD-1234",
    pin="9999",
    redemption_url="https://play.example/redeem?a=1&b=2",
    serial_number="SN-1",
    expires_at=YEAR_END,
    instructions="Open the app.\n\nType the code.",
)
LINK = MailedCode(2, "Free Fire", "520 Diamonds", "", redemption_url="https://ff.example/x")


def rendered(
    *codes: MailedCode, waiting: tuple[WaitingUnit, ...] = (), language: str = "en"
) -> Rendered:
    message = EmailMessage(
        order=Order(order_number="20000001"), template="vouchers", language=language
    )
    return render(message, codes, waiting)


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Your vouchers — Order #20000001"),
        ("bn", "আপনার ভাউচার — অর্ডার #20000001"),
        ("fr", "Your vouchers — Order #20000001"),
    ],
)
def test_subject(language: str, subject: str) -> None:
    assert rendered(PLAY, language=language).subject == subject


def test_text_of_one_code() -> None:
    text = rendered(PLAY).text

    assert text.startswith("Your vouchers are here\nOrder #20000001 · BD Voucher\n")
    assert (
        """
Google Play Gift Card
BDT 500 · 1 code
----------------------------------------

Code: ABCD-1234
PIN: 9999
Serial number: SN-1
Expires: 31 December 2027
Redeem at: https://play.example/redeem?a=1&b=2

How to redeem
  Open the app.
  Type the code.
"""
        in text
    )
    assert "support@bdvoucher.com" in text
    assert "Still to come" not in text


def test_text_in_bangla() -> None:
    text = rendered(PLAY, PLAY, language="bn").text

    assert "BDT 500 · ২টি কোড" in text
    assert "কোড ২: ABCD-1234\nপিন: 9999\n" in text
    assert "মেয়াদ শেষ: ৩১ ডিসেম্বর ২০২৭" in text


@pytest.mark.parametrize("twin", ["text", "html"])
def test_codes_stand_under_their_item_once(twin: str) -> None:
    second = MailedCode(1, PLAY.product, PLAY.variant, "EFGH-5678", instructions="Open the app.")
    told = getattr(rendered(PLAY, second, LINK), twin)

    assert told.count("Google Play Gift Card") == 1
    assert told.count("Type the code.") == 1
    places = [told.index(each) for each in ("ABCD-1234", "EFGH-5678", "Free Fire", LINK.product)]
    assert places == sorted(places)


@pytest.mark.parametrize("twin", ["text", "html"])
def test_part_says_what_is_still_to_come(twin: str) -> None:
    told = getattr(rendered(PLAY, waiting=(WaitingUnit(3, "Steam", "USD 20", 2),)), twin)

    assert "The first of your vouchers are here" in told
    assert "Steam, USD 20: 2 codes" in told


def test_html_escapes_everything() -> None:
    hostile = MailedCode(
        1,
        "<script>alert(1)</script>",
        'A & "B"',
        "<b>1</b>&2",
        pin="<i>",
        redemption_url="https://x.example/\"><img src='x'>",
        serial_number="<u>",
        instructions="<style>p{display:none}</style>",
    )
    html = rendered(hostile, waiting=(WaitingUnit(1, "<hr>", "<br>", 1),)).html

    assert "&lt;b&gt;1&lt;/b&gt;&amp;2" in html
    assert "&lt;style&gt;p{display:none}&lt;/style&gt;" in html
    for tag in ("<script", "<b>", "<i>", "<u>", "<img", "<hr", "<style>p"):
        assert tag not in html
    assert "<b>1</b>&2" in rendered(hostile).text


@pytest.mark.parametrize(
    "url",
    ["http://x.example/", "javascript:alert(1)", "data:text/html,x", "//x.example", "https://["],
)
def test_only_https_becomes_a_link(url: str) -> None:
    html = rendered(MailedCode(1, "P", "V", "C", redemption_url=url)).html

    assert f'href="{url}' not in html
    assert "Redeem online" not in html
    assert f"Redeem at: {url}" in html


def test_link_that_is_the_code_is_shown_and_linked() -> None:
    html = rendered(LINK).html

    assert '<a class="go" href="https://ff.example/x"' in html
    assert ">https://ff.example/x</div>" in html


def test_html_holds_in_mail_clients() -> None:
    html = rendered(PLAY).html

    assert "<img" not in html
    assert "url(" not in html
    assert "<link" not in html
    assert '<table class="frame" role="presentation" width="600"' in html
    assert 'class="c" style="font: 700 21px/30px Menlo' in html
    assert html.count("@media (prefers-color-scheme: dark)") == 2
    assert html.count("<style data-css-inline") == 1
    assert html.index('<meta charset="utf-8">') < html.index("<style")
    assert "<!--[if mso]>" in html


def test_eighty_full_codes_are_below_gmails_limit() -> None:
    assert len(rendered(*[PLAY] * 80).html.encode()) < 102 * 1024


def test_preheader_shows_no_code() -> None:
    """It is what a locked telephone shows."""
    html = rendered(PLAY, PLAY).html

    assert ">Your 2 codes are inside, with how to redeem them.</div>" in html


def test_both_languages_have_the_same_words() -> None:
    def places(language: str) -> dict[str, set[str | None]]:
        folder = Path(__file__).parents[2] / "templates" / "email" / "words"
        words = tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))
        return {
            f"{section}.{key}": {name for _, name, _, _ in Formatter().parse(text) if name}
            for section, lines in words.items()
            for key, text in lines.items()
        }

    english, bangla = map(places, LANGUAGES)
    assert english == bangla


def test_contents_are_in_item_then_unit_order(db: None) -> None:
    order = OrderFactory.create(paid=True)
    first, second = OrderItemFactory.create_batch(2, order=order, quantity=2)
    first.variant.product.redeem_instructions = "Ask."
    first.variant.product.save()
    for item in (second, first, first):
        VoucherFactory.create(order_item=item, used=item is second, expires_at=YEAR_END)
    codes, waiting = contents(EmailMessageFactory.create(order=order))

    assert [each.item_id for each in codes] == [first.pk, first.pk, second.pk]
    assert codes[0].instructions == "Ask."
    assert codes[0].expires_at == YEAR_END
    assert waiting == [WaitingUnit(second.pk, second.product_name, second.variant_name, 1)]


def test_contents_refuse_codes_of_another_order(db: None) -> None:
    mine, theirs = OrderItemFactory.create_batch(2)
    VoucherFactory.create(order_item=mine)
    foreign = VoucherFactory.create(order_item=theirs)
    message = EmailMessageFactory.create(order=mine.order)
    message.voucher_ids.append(foreign.pk)

    with pytest.raises(ForeignCode):
        contents(message)


def test_masked_code_shows_its_end_only() -> None:
    shown = masked(PLAY)

    assert (shown.code, shown.pin) == ("••••1234", "••••")
    assert shown.redemption_url == "https://play.example/••••"
    assert masked(LINK).redemption_url == "https://ff.example/••••"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.example?code=A1", "https://x.example/••••"),
        ("http://x.example/A1", "••••"),
        ("", ""),
    ],
)
def test_masked_link_shows_its_host_at_most(url: str, shown: str) -> None:
    assert masked(MailedCode(1, "P", "V", "C", redemption_url=url)).redemption_url == shown


def preview(*args: Any, **options: Any) -> str:
    out = StringIO()
    call_command("preview_mail", *args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def item(db: None) -> OrderItem:
    item: OrderItem = OrderItemFactory.create()
    return item


def test_preview_shows_the_mail_with_masks(item: OrderItem, tmp_path: Path) -> None:
    VoucherFactory.create(order_item=item, code="ABCD-EFGH-IJKL", pin="8462")
    page = tmp_path / "mail.html"
    text = preview(item.order.order_number, language="bn", html=page)

    assert text.startswith(f"Subject: আপনার ভাউচার — অর্ডার #{item.order.order_number}\n")
    for told in (text, page.read_text("utf-8")):
        assert "••••IJKL" in told
        assert "ABCD" not in told
        assert "8462" not in told


def test_preview_of_nothing_says_so(item: OrderItem) -> None:
    with pytest.raises(CommandError, match="no codes yet"):
        preview(item.order.order_number)
    with pytest.raises(CommandError, match="There is no order 1"):
        preview("1")
