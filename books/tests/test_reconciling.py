"""A file beside the tables: what is kept of it, who may, and what is refused."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory, bearer
from books.models import Gap, Reconciliation
from books.services import Wish, explain, reconcile
from books.tests.test_sums import NOON, Shop, paid, refunded
from catalog.models import Partner
from core.actors import Actor
from core.errors import BadRequest, Conflict
from payments.models import Payment
from payments.tests.factories import PaymentFactory

pytestmark = pytest.mark.django_db
HEAD = "merchantInvoiceNumber,trxID,amount,completedTime,transactionStatus,transactionType\n"


def row(payment, amount=None, *, trx=None, kind="Payment"):
    trx = payment.gateway_transaction_id if trx is None else trx
    return (
        f"{payment.reference},{trx},{amount or payment.amount},2026-04-27 12:00:00,Completed,"
        f"{kind}\n"
    )


def wish(content, **more):
    text = content if isinstance(content, bytes) else content.encode()
    asked = {
        "side": "payments", "provider": "bkash", "layout": "bkash",
        "since": NOON.replace(hour=0), "until": NOON.replace(hour=23), "content": text,
    }  # fmt: skip
    return Wish(**asked | more)


def run_of(content, **more):
    operator = Actor.of(UserFactory(finance=True))
    return reconcile(wish(content, **more), operator=operator, now=timezone.now())


def gaps(run):
    return [(gap.kind, gap.amount, gap.payment_id) for gap in run.gaps.all()]


def test_payments_and_refunds_beside_a_settlement_file():
    fine, less, lost, back = (paid(method="bkash") for _ in range(4))
    failed = PaymentFactory(method="bkash", status="FAILED", next_check_at=None)
    refunded(back, Decimal("200.00"))
    refund = row(back, "200.00", trx="R1", kind="Refund")
    late = row(failed, "500.00", trx="X1")
    run = run_of(HEAD + row(fine) + row(less, "450.00") + row(back) + refund + late + row(fine))
    assert sorted(gaps(run)) == [
        ("amount_differs", Decimal("-50.00"), less.pk),
        ("missing_here", Decimal("500.00"), failed.pk),
        ("missing_there", Decimal("-500.00"), lost.pk),
        ("twice", Decimal("500.00"), fine.pk),
    ]
    assert (run.lines, run.matched) == (6, 3)
    difference = Decimal(run.totals["theirs"]["BDT"]) - Decimal(run.totals["ours"]["BDT"])
    assert difference == sum(gap.amount for gap in run.gaps.all())


#: Provider -> head of its file, and the words of a payment and of a refund that happened.
SETTLEMENTS = {
    "paystation": "invoice_number,trx_id,request_amount,order_date_time,trx_status,type",
    "bkash": "merchantInvoiceNumber,trxID,amount,completedTime,transactionStatus,transactionType",
    "nagad": "orderId,issuerPaymentRefNo,amount,issuerPaymentDateTime,status,type",
    "sslcommerz": "tran_id,val_id,amount,tran_date,status,type",
    "dcb": "externalTrxId,internalTrxId,paidAmount,timeStamp,statusCode,type",
}
MOVED = {"paystation": "Success", "bkash": "Completed", "nagad": "Success",
         "sslcommerz": "VALIDATED", "dcb": "S1000"}  # fmt: skip


@pytest.mark.parametrize("provider", SETTLEMENTS)
def test_each_planted_gap_of_each_gateway_is_found_and_nothing_else(provider):
    """Payments and refunds: less than it was, never settled, twice, not ours, not refunded."""
    fine, less, lost, twice, back, kept, short = (paid(method=provider) for _ in range(7))
    for payment in (back, kept, short):
        refunded(payment, Decimal("200.00"))
    paid(method="other")

    def line(reference, trx, amount, kind="Payment"):
        return f"{reference},{trx},{amount},2026-04-27 12:00:00,{MOVED[provider]},{kind}\n"

    def bought(payment, amount="500.00"):
        return line(payment.reference, payment.gateway_transaction_id, amount)

    def gave_back(payment, amount="200.00"):
        return line(payment.reference, f"R{payment.pk}", amount, "Refund")

    whole = [bought(each) for each in (fine, less, lost, twice, back, kept, short)]
    refunds = [gave_back(each) for each in (back, kept, short)]
    head = f"{SETTLEMENTS[provider]}\n"
    about = {"provider": provider, "layout": provider}
    assert gaps(run_of(head + "".join(whole + refunds), **about)) == []
    planted = [
        *[bought(each) for each in (fine, twice, twice, back, kept, short)],
        bought(less, "490.00"), line("BDV-20260427-9", "NOTOURS", "77.00"),
        gave_back(back), gave_back(short, "150.00"),
    ]  # fmt: skip
    run = run_of(head + "".join(planted), **about)
    assert sorted(gaps(run), key=lambda gap: (gap[0], gap[1])) == [
        ("amount_differs", Decimal("-10.00"), less.pk),
        ("amount_differs", Decimal("50.00"), short.pk),
        ("missing_here", Decimal("77.00"), None),
        ("missing_there", Decimal("-500.00"), lost.pk),
        ("missing_there", Decimal("200.00"), kept.pk),
        ("twice", Decimal("500.00"), twice.pk),
    ]
    difference = Decimal(run.totals["theirs"]["BDT"]) - Decimal(run.totals["ours"]["BDT"])
    assert difference == sum(gap.amount for gap in run.gaps.all())


def test_another_methods_payments_are_not_touched():
    paid(method="nagad")
    assert gaps(run_of(HEAD)) == []


def test_purchases_beside_a_partners_statement():
    shop = Shop()
    shop.bought(3)
    from fulfillment.models import PartnerTransaction

    one, two, three = PartnerTransaction.objects.order_by("pk")
    text = (
        "transactionId,cost,costCurrencyDivisor,costCurrency,createdAt,status\n"
        f"{one.reference},60,100,USD,2026-04-27T06:00:00Z,DONE\n"
        f"{two.reference},65,100,USD,2026-04-27T06:00:00Z,DONE\n"
        "NOTOURS1,60,100,USD,2026-04-27T06:00:00Z,DONE\n"
        "NOTOURS2,60,100,USD,2026-04-27T06:00:00Z,FAILED\n"
    )
    run = run_of(text, side="purchases", provider="zendit", layout="zendit")
    assert [(gap.kind, gap.amount, gap.purchase_id) for gap in run.gaps.all()] == [
        ("amount_differs", Decimal("0.05"), two.pk),
        ("missing_here", Decimal("0.60"), None),
        ("missing_there", Decimal("-0.60"), three.pk),
    ]
    assert run.skipped == 1


def test_purchases_beside_reloadlys_statement():
    from fulfillment.models import PartnerTransaction

    Shop().bought(3)
    Partner.objects.update(slug="reloadly", name="Reloadly")
    one, two, three = PartnerTransaction.objects.order_by("pk")
    head = "transactionId,customIdentifier,amount,currencyCode,transactionCreatedTime,status\n"
    when = "2026-04-27 06:00:00,SUCCESSFUL"
    text = (
        f"{head}11,{one.reference},0.60,USD,{when}\n12,{two.reference},0.55,USD,{when}\n"
        f"13,NOTOURS,9.99,USD,{when}\n14,{three.reference},0.60,USD,2026-04-27 06:00:00,FAILED\n"
    )
    run = run_of(text, side="purchases", provider="reloadly", layout="reloadly")
    assert [(gap.kind, gap.amount, gap.purchase_id) for gap in run.gaps.all()] == [
        ("amount_differs", Decimal("-0.05"), two.pk),
        ("missing_here", Decimal("9.99"), None),
        ("missing_there", Decimal("-0.60"), three.pk),
    ]


def test_a_mapped_file():
    payment = paid(method="bkash")
    text = f"Ref|Sum|When\n{payment.reference}|500|27/04/2026 12:00\n"
    run = run_of(
        text, layout="generic", columns={"reference": "Ref", "amount": "Sum", "at": "When"}
    )
    assert (gaps(run), run.matched, run.zone) == ([], 1, "Asia/Dhaka")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"side": "purchases", "provider": "bkash"}, "provider"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"until": NOON.replace(hour=0)}, "period_to"),
        ({"columns": {"amount": "x"}}, "columns"),
        ({"content": b"\x80\x81"}, "content"),
        ({"content": HEAD + "BDV-1,A,5OO,,Completed,\n"}, "content"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_kept(more, field):
    with pytest.raises(BadRequest) as caught:
        run_of(**{"content": HEAD} | more)
    assert caught.value.details[0].field == field
    assert not Reconciliation.objects.exists()


def test_an_explanation_stays():
    run = run_of(HEAD + "BDV-1,A1,500,2026-04-27 12:00:00,Completed,\n")
    (gap,) = run.gaps.all()
    someone = Actor.of(UserFactory(finance=True))
    with pytest.raises(BadRequest):
        explain(gap.pk, "  ", run_id=run.pk, operator=someone, now=NOON)
    explain(gap.pk, "reversed by them", run_id=run.pk, operator=someone, now=NOON)
    with pytest.raises(Conflict, match="reversed by them"):
        explain(gap.pk, "no, ours", run_id=run.pk, operator=someone, now=NOON)
    with pytest.raises(Gap.DoesNotExist):
        explain(gap.pk, "x", run_id=run.pk + 1, operator=someone, now=NOON)
    for change in (lambda: Gap.objects.update(note="x"), lambda: Gap.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_it_is_asked_for_by_api_and_changes_no_payment():
    payment, client = paid(method="bkash"), APIClient()
    before = list(Payment.objects.values())
    header = bearer(UserFactory(finance=True))
    body = {
        "side": "payments", "provider": "bkash", "period_from": "2026-04-26T18:00:00Z",
        "period_to": "2026-04-27T18:00:00Z", "content": HEAD + row(payment, "1.00"),
    }  # fmt: skip
    for _ in range(2):
        answer = client.post(
            "/api/v1/admin/reconciliations", body, format="json",
            HTTP_IDEMPOTENCY_KEY="april-1", **header,
        )  # fmt: skip
        assert answer.status_code == 201, answer.content
    run = answer.json()["data"]
    assert (run["gaps"], run["theirs"], answer.json()["message"]) == (
        1, {"BDT": 1.0}, "1 gap was found."
    )  # fmt: skip
    where = f"/api/v1/admin/reconciliations/{run['id']}/gaps"
    (gap,) = client.get(where, **header).json()["data"]["items"]
    assert (gap["kind"], gap["amount"]) == ("amount_differs", -499)
    told = client.post(f"{where}/{gap['id']}/explain", {"note": "fee"}, format="json", **header)
    assert told.json()["data"]["note"] == "fee"
    assert list(Payment.objects.values()) == before
    assert Reconciliation.objects.count() == 1
    sums = client.get("/api/v1/admin/books?from=2026-04-01&to=2026-04-30", **header).json()["data"]
    assert [(each["method"], each["paid"]) for each in sums["rows"]] == [("bkash", 500)]


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-02-30", "from=2026-04-02&to=2026-04-01", "by=week",
              "from=2001-01-01&to=2026-01-01", "from=0001-01-01"]
)  # fmt: skip
def test_periods_that_cannot_be_meant(query):
    answer = APIClient().get(f"/api/v1/admin/books?{query}", **bearer(UserFactory(finance=True)))
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]
