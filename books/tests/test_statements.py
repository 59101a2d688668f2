"""Files as portals write them, and as people spoil them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from books.statements.base import Layout, UnreadableStatement, read, text_of
from books.statements.layouts import LAYOUTS, layout_of

PLAIN = Layout("plain", "Plain", {
    "reference": ("Reference", "Our Ref"), "transaction": ("Trx ID",), "amount": ("Amount",),
    "currency": ("Currency",), "at": ("Date",), "kind": ("Type",), "divisor": ("Divisor",),
}, "Asia/Dhaka")  # fmt: skip


def one(text, layout=PLAIN, **more):
    (line,) = read(text, layout, **more).lines
    return line


@pytest.mark.parametrize(
    ("written", "amount", "refund"),
    [
        ("500", "500", False),
        ("500.00", "500.00", False),
        ('"1,234.50"', "1234.50", False),
        ('"12,34,567.00"', "1234567.00", False),
        ("BDT 500.00", "500.00", False),
        ("৳500", "500", False),
        ("$7.60", "7.60", False),
        ("-500.00", "500.00", True),
        ("(500.00)", "500.00", True),
        ("0.1", "0.1", False),
    ],
)
def test_an_amount_is_what_is_written_to_the_paisa(written, amount, refund):
    line = one(f"Reference,Amount\nBDV-1,{written}\n")
    assert (line.amount, line.is_refund) == (Decimal(amount), refund)


@pytest.mark.parametrize(
    "written", ["", "5OO", "1e3", "NaN", "Infinity", "1.2.3", "--5", "1 000", "9" * 13, "0x10"]
)
def test_what_is_no_amount_is_named_with_its_line(written):
    with pytest.raises(UnreadableStatement) as caught:
        read(f"Reference,Amount\nBDV-1,500\nBDV-2,{written}\n", PLAIN)
    assert caught.value.problems[0].startswith("Line 3: ")


def test_all_bad_lines_are_named_and_nothing_is_read():
    text = "Reference,Amount\n" + "".join(f"BDV-{n},x\n" for n in range(30))
    with pytest.raises(UnreadableStatement) as caught:
        read(text, PLAIN)
    assert len(caught.value.problems) == 20


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-04-27 14:22:00", 8),
        ("2026-04-27T14:22:00", 8),
        ("27/04/2026 14:22", 8),
        ("27-04-2026 14:22:00", 8),
        ("27 Apr 2026 02:22 PM", 8),
        ("20260427142200", 8),
        ("2026-04-27T14:22:00Z", 14),
        ("2026-04-27T14:22:00+06:00", 8),
        ("2026-04-27T14:22:00:123 GMT+0600", 8),
        ("2026-04-27T14:22:00:123 GMT+0000", 14),
    ],
)
def test_a_time_without_a_zone_is_of_the_layout(written, hour):
    line = one(f"Reference,Amount,Date\nBDV-1,5,{written}\n")
    assert line.at.replace(microsecond=0) == datetime(2026, 4, 27, hour, 22, tzinfo=UTC)


def test_the_zone_can_be_said():
    text = "Reference,Amount,Date\nBDV-1,5,2026-04-27 14:22:00\n"
    assert one(text, zone="UTC").at == datetime(2026, 4, 27, 14, 22, tzinfo=UTC)


def test_a_preamble_a_total_blank_lines_and_another_delimiter():
    text = (
        "Merchant: BD Voucher\nPeriod;April\n\nour ref.;TRX_ID;amount;type\n"
        "BDV-1;A1;500.50;x\n;;;\nBDV-2;A2;20;Refund\nTotal;;520.50;\n"
    )
    first, second = read(text, PLAIN).lines
    assert (first.number, first.reference, first.transaction) == (5, "BDV-1", "A1")
    assert second.is_refund


def test_minor_units_are_divided():
    assert one("Reference,Amount,Divisor\nR1,760,100\n").amount == Decimal("7.60")
    with pytest.raises(UnreadableStatement, match="divisor"):
        read("Reference,Amount,Divisor\nR1,760,7\n", PLAIN)


def test_leading_zeros_and_the_spreadsheets_apostrophe():
    assert one("Reference,Trx ID,Amount\nR1,'000123,5\n").transaction == "000123"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding):
    assert one(text_of("Reference,Amount\nBDV-১,5\n".encode(encoding))).reference == "BDV-১"


@pytest.mark.parametrize("content", [b"\xff\x00\x01", b"\x80abc", b"PK\x03\x04\x80\x81"])
def test_what_is_no_text(content):
    with pytest.raises(UnreadableStatement):
        read(text_of(content), PLAIN)


@pytest.mark.parametrize("text", ["", "\n\n", "a,b,c\n1,2,3\n", "\0", '"' * 200_000])
def test_a_file_without_our_columns_says_what_was_looked_for(text):
    with pytest.raises(UnreadableStatement):
        read(text, PLAIN)


def test_lines_that_moved_no_money_are_counted_and_left_out():
    text = (
        "merchantInvoiceNumber,trxID,amount,transactionStatus\n"
        "BDV-1,A1,500,Completed\nBDV-2,,500,Initiated\nBDV-3,,500,Cancelled\n"
    )
    statement = read(text, LAYOUTS["bkash"])
    assert ([line.reference for line in statement.lines], statement.skipped) == (["BDV-1"], 2)


@pytest.mark.parametrize("slug", LAYOUTS)
def test_every_layout_reads_its_own_first_names(slug):
    layout = LAYOUTS[slug]
    values = {"amount": "500.00", "status": min(layout.moved), "at": "2026-04-27 14:22:00",
              "reference": "R1", "transaction": "T1", "currency": "BDT", "kind": "",
              "divisor": "100"}  # fmt: skip
    head = [names[0] for names in layout.columns.values()]
    text = ",".join(head) + "\n" + ",".join(values[name] for name in layout.columns) + "\n"
    line = one(text, layout)
    assert (line.reference, line.transaction) == ("R1", "T1")
    assert line.amount == (Decimal(5) if "divisor" in layout.columns else Decimal(500))


@pytest.mark.parametrize(
    ("slug", "columns", "why"),
    [
        ("nobody", {}, "Choose one of"),
        ("bkash", {"amount": "x"}, "generic layout only"),
        ("generic", {}, "Map the amount"),
        ("generic", {"amount": "x", "at": "y"}, "Map the amount"),
        ("generic", {"amount": "x", "reference": "y", "code": "z"}, "no meaning code"),
    ],
)
def test_columns_that_cannot_be_used(slug, columns, why):
    with pytest.raises(ValueError, match=why):
        layout_of(slug, columns, currency="BDT")
