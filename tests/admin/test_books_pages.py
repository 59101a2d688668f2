"""The books' pages as finance uses them: sums, a file compared, a gap explained, exports."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from books.models import Reconciliation
from books.tests.test_sums import Shop, paid
from core.admin import new_form_key

pytestmark = pytest.mark.django_db
BOOKS = "/admin/books/bookspage/"
RUNS = "/admin/books/reconciliation/"
APRIL = {"first": "2026-04-01", "last": "2026-04-30"}
HEAD = "merchantInvoiceNumber,trxID,amount,completedTime,transactionStatus\n"


def upload(client, text, **fields):
    sent = {
        **APRIL, "form_key": new_form_key(), "provider": "payments:bkash",
        "file": SimpleUploadedFile("april.csv", text.encode()), **fields,
    }  # fmt: skip
    return client.post(f"{RUNS}upload/", sent, follow=True)


@pytest.mark.parametrize("role", ["support", "operator"])
def test_nobody_but_finance_sees_them(client, sign_in, role):
    sign_in(role)
    assert "books" not in client.get("/admin/").content.decode()
    for url in (BOOKS, RUNS, f"{RUNS}upload/", f"{BOOKS}export/money/", f"{RUNS}1/change/"):
        assert client.get(url).status_code == 403, url


def test_the_sums_with_the_rows_behind_them(client, sign_in):
    sign_in("finance")
    shop = Shop()
    shop.batch(2)
    shop.bought(1)
    payment = paid("250.50", method="bkash")
    page = client.get(BOOKS, {**APRIL, "by": "day"}).content.decode()
    assert "250.50 BDT" in page
    assert "add up" in page
    assert shop.variant.product.name in page
    behind = page.split('href="/admin/payments/payment/?')[1].split('"')[0].replace("&amp;", "&")
    assert payment.reference in client.get(f"/admin/payments/payment/?{behind}").content.decode()


def test_a_period_that_cannot_be_meant_shows_this_month(client, sign_in):
    sign_in("finance")
    page = client.get(BOOKS, {"first": "2026-04-30", "last": "2026-04-01", "by": "day"})
    assert "This month is shown" in page.content.decode()


def test_exports_hold_no_code_and_no_formula(client, sign_in):
    sign_in("finance")
    shop = Shop()
    shop.variant.product.name = '=HYPERLINK("http://evil")'
    shop.variant.product.save()
    shop.batch(2)
    paid("250.50", method="bkash")
    for what, word in (("money", "250.50"), ("stock", "'=HYPERLINK"), ("purchases", "partner")):
        answer = client.get(f"{BOOKS}export/{what}/", APRIL | {"by": "month"})
        text = b"".join(answer.streaming_content).decode()
        assert word in text
        assert "CODE-" not in text
        assert "attachment" in answer["Content-Disposition"]


def test_a_file_is_compared_and_its_gap_explained(client, sign_in):
    sign_in("finance")
    payment = paid(method="bkash")
    ids = f"{payment.reference},{payment.gateway_transaction_id}"
    text = HEAD + f"{ids},400,2026-04-27 12:00:00,Completed\n"
    page = upload(client, text).content.decode()
    run = Reconciliation.objects.get()
    (gap,) = run.gaps.all()
    assert "1 gap to explain" in page
    assert "-100.00 BDT" in page
    told = client.post(
        f"{RUNS}{run.pk}/explain/", {"gap": gap.pk, "note": "<b>their fee</b>"}, follow=True
    ).content.decode()
    assert "All 1 gap explained" in told
    assert "&lt;b&gt;their fee" in told
    export = b"".join(client.get(f"{RUNS}{run.pk}/export/").streaming_content).decode()
    assert "amount_differs" in export
    assert "All explained" in client.get(RUNS).content.decode()


def test_what_cannot_be_read_is_said_and_the_form_can_be_sent_again(client, sign_in):
    sign_in("finance")
    page = upload(client, HEAD + "BDV-1,A,5OO,,Completed\nBDV-2,A,x,,Completed\n").content.decode()
    assert "Line 2: &#x27;5OO&#x27; is no amount." in page
    assert "Line 3" in page
    key = page.split('name="form_key" value="')[1].split('"')[0]
    assert "No gap" in upload(client, HEAD, form_key=key).content.decode()


def test_a_form_counts_once(client, sign_in):
    sign_in("finance")
    key = new_form_key()
    for _ in range(2):
        page = upload(client, HEAD, form_key=key).content.decode()
    assert "sent already" in page
    assert Reconciliation.objects.count() == 1


def test_the_result_takes_the_same_statements_for_one_gap_and_for_fifty(
    client, sign_in, django_assert_max_num_queries
):
    sign_in("finance")
    for n in (1, 50):
        lines = "".join(f"BDV-{k},A{k},5,2026-04-27 12:00:00,Completed\n" for k in range(n))
        upload(client, HEAD + lines)
        run = Reconciliation.objects.first()
        with django_assert_max_num_queries(8):
            client.get(f"{RUNS}{run.pk}/change/")
