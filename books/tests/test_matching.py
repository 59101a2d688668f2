"""Lines beside entries: each planted gap is found, and the gaps are the difference of the sums."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, strategies as st

from books.matching import compare
from books.ours import Entry
from books.statements.base import Line

SINCE = datetime(2026, 4, 1, tzinfo=UTC)
UNTIL = datetime(2026, 5, 1, tzinfo=UTC)
NOON = datetime(2026, 4, 15, 6, tzinfo=UTC)


def entry(n, amount="500.00", **more):
    ours = None if amount is None else Decimal(amount)
    told = Entry(f"BDV-2026042{n}-1", (f"TRX{n}",), ours, "BDT", NOON, True,
                 "SUCCEEDED", payment_id=n)  # fmt: skip
    return replace(told, **more)


def line(n, amount="500.00", **more):
    told = Line(n + 2, f"BDV-2026042{n}-1", f"TRX{n}", Decimal(amount), "BDT", NOON)
    return replace(told, **more)


def of(lines, entries, in_period=None):
    moved = [each for each in entries if each.moved] if in_period is None else in_period
    return compare(lines, entries, moved, since=SINCE, until=UNTIL)


def told(result):
    return [(gap.kind.value, gap.amount) for gap in result.gaps]


def test_both_agree():
    result = of([line(1), line(2)], [entry(1), entry(2)])
    assert (told(result), result.matched) == ([], 2)


def test_references_without_dashes_and_ids_alone():
    lines = [line(1, reference="BDV202604211", transaction=""), line(2, reference="")]
    assert told(of(lines, [entry(1), entry(2)])) == []


def test_missing_here_missing_there_differs_twice():
    lines = [line(1), line(2, "450.00"), line(3), line(3, number=99), line(9, "70.00")]
    result = of(lines, [entry(1), entry(2), entry(3), entry(4, "30.00")])
    assert told(result) == [
        ("amount_differs", Decimal("-50.00")),
        ("twice", Decimal("500.00")),
        ("missing_here", Decimal("70.00")),
        ("missing_there", Decimal("-30.00")),
    ]


def test_of_two_charges_under_one_reference_the_unknown_one_is_twice_in_any_order():
    lines = [line(1, transaction="OTHER", number=2), line(1, number=3)]
    (gap,) = of(lines, [entry(1)]).gaps
    assert (gap.kind.value, gap.line.number) == ("twice", 2)


def test_a_stranger_named_twice_is_missing_once_and_twice_once():
    assert told(of([line(7), line(7)], [])) == [
        ("missing_here", Decimal("500.00")), ("twice", Decimal("500.00"))
    ]  # fmt: skip


def test_what_failed_here_and_came_there():
    (gap,) = of([line(1)], [entry(1, moved=False, status="FAILED")]).gaps
    assert (gap.kind.value, gap.remark) == ("missing_here", "Here it is FAILED.")


def test_a_line_of_another_day_is_no_gap_and_its_payment_is_not_missing():
    result = of([line(1, at=SINCE - timedelta(minutes=2))], [entry(1, at=SINCE)])
    assert (told(result), result.outside) == ([], 1)


def test_close_to_the_edge_is_said():
    (gap,) = of([], [entry(1, at=SINCE + timedelta(minutes=5))]).gaps
    assert "neighbouring file" in gap.remark


def test_a_refund_is_not_its_payment():
    back = entry(1, "200.00", is_refund=True, refund_id=5, transactions=("REF1", "TRX1"),
                 reference="BDV-20260421-1-R1", parent="BDV-20260421-1")  # fmt: skip
    by_payment = line(1, "200.00", is_refund=True)
    by_itself = line(1, "200.00", is_refund=True, reference="", transaction="REF1")
    for refund in (by_payment, by_itself):
        assert told(of([line(1), refund], [entry(1), back])) == []
    assert told(of([line(1)], [entry(1), back])) == [("missing_there", Decimal("200.00"))]
    assert told(of([line(1), by_payment], [entry(1)])) == [("missing_here", Decimal("-200.00"))]


def test_two_partial_refunds_named_by_the_payment_find_each_their_own():
    def back(n, amount):
        return entry(1, amount, is_refund=True, refund_id=n, transactions=(f"REF{n}", "TRX1"),
                     parent="BDV-20260421-1", reference=f"BDV-20260421-1-R{n}")  # fmt: skip

    lines = [line(1), line(1, "200", is_refund=True), line(1, "100", is_refund=True)]
    assert told(of(lines, [entry(1), back(1, "100"), back(2, "200")])) == []


def test_a_cost_we_were_not_told_is_not_compared():
    result = of([line(1)], [entry(1, amount=None, currency="")], in_period=[])
    assert (told(result), result.uncompared, result.theirs["BDT"]) == ([], 1, 0)


def test_another_currency_is_a_gap_in_both():
    result = of([line(1, currency="USD")], [entry(1)])
    assert [(gap.kind.value, gap.currency, gap.amount) for gap in result.gaps] == [
        ("missing_here", "USD", Decimal("500.00")), ("missing_there", "BDT", Decimal("-500.00"))
    ]  # fmt: skip


AMOUNTS = st.decimals(min_value=1, max_value=2000, places=2)
TIMES = st.datetimes(datetime(2026, 3, 25), datetime(2026, 5, 5), timezones=st.just(UTC))  # noqa: DTZ001
SIDES = st.lists(
    st.tuples(st.integers(0, 9), AMOUNTS, st.booleans(), st.sampled_from(["BDT", "USD"]), TIMES,
              st.booleans()), max_size=14,
)  # fmt: skip


@given(theirs=SIDES, ours=SIDES)
def test_all_gaps_together_are_the_difference_of_the_sums(theirs, ours):
    """In each currency, whatever was lost, doubled or spoilt; and every line has one fate."""
    lines = [
        line(n, amount, number=place, is_refund=refund, currency=currency, at=at)
        for place, (n, amount, refund, currency, at, _) in enumerate(theirs)
    ]
    entries = [
        entry(n, amount, is_refund=refund, currency=currency, at=at, moved=moved,
              refund_id=place if refund else None, payment_id=None if refund else place)
        for place, (n, amount, refund, currency, at, moved) in enumerate(ours)
    ]  # fmt: skip
    in_period = [each for each in entries if each.moved and SINCE <= each.at < UNTIL]
    result = of(lines, entries, in_period)
    for currency in ("BDT", "USD"):
        gaps = sum(gap.amount for gap in result.gaps if gap.currency == currency)
        assert gaps == result.theirs[currency] - result.ours[currency]
    told_of = {gap.line.number for gap in result.gaps if gap.line}
    assert len(told_of) + result.matched + result.outside == len(lines)
