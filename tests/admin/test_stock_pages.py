"""Who may import, void and export; what the pages and files never show; what the lists cost."""

import io

import pytest
from django.utils import timezone

from accounts.tests.factories import UserFactory, bearer
from catalog.models import Variant
from catalog.tests.factories import PartnerFactory, SourceFactory
from core.admin import new_form_key
from fulfillment.models import PartnerHealth
from fulfillment.stocking import work_on_import
from fulfillment.tests.factories import pool_of
from tests.admin.test_pages import cost_of
from vouchers.models import Batch, Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db
CODE = "CANARY-7Q2X-9M4K-ZZ81"


def uploaded(client, content, **fields):
    file = io.BytesIO(content.encode())
    file.name = "=cmd.csv"
    given = {"variant": pool_of().pk, "supplier": "=Acme", "form_key": new_form_key(), "file": file}
    return client.post("/admin/vouchers/batch/import/", given | fields)


def done_batch(client, text):
    uploaded(client, text)
    batch = Batch.objects.latest("pk")
    work_on_import(batch.pk)
    client.post(f"/admin/vouchers/batch/{batch.pk}/confirm")
    work_on_import(batch.pk)
    batch.refresh_from_db()
    assert batch.status == "DONE"
    return batch


def test_rights(client, sign_in):
    sign_in("operator")
    batch = done_batch(client, f"code\n{CODE}\n")
    page = f"/admin/vouchers/batch/{batch.pk}"
    for role, may_see in (("support", False), ("finance", True)):
        sign_in(role)
        assert client.get(f"{page}/change/").status_code == (200 if may_see else 403)
        assert client.get(f"{page}/codes").status_code == (200 if may_see else 403)
        assert uploaded(client, "code\nA-1\n").status_code == 403
        for act in ("confirm", "cancel", "void"):
            sent = {"form_key": new_form_key(), "reason": "x"}
            assert client.post(f"{page}/{act}", sent).status_code == 403
        client.post(
            "/admin/vouchers/voucher/",
            {"action": "void", "post": "yes", "reason": "x", "form_key": new_form_key(),
             "_selected_action": [row.pk for row in Voucher.objects.all()]},
        )  # fmt: skip
    assert Batch.objects.count() == 1
    assert not Voucher.objects.filter(status="void").exists()
    assert client.get(f"{page}/confirm").status_code == 405


def test_no_page_and_no_file_shows_a_code(client, sign_in):
    sign_in("operator")
    batch = done_batch(client, f"code,pin\n{CODE},559911\n{CODE},\n")
    for what in ("change/", "codes", "report", "progress"):
        answer = client.get(f"/admin/vouchers/batch/{batch.pk}/{what}")
        text = b"".join(answer).decode() if answer.streaming else answer.content.decode()
        assert CODE not in text
        assert "7Q2X" not in text
        assert "559911" not in text
        assert ("••••ZZ81" in text) is (what == "codes" or "change" in what or what == "report")


def test_one_form_imports_once(client, sign_in):
    sign_in("operator")
    key = new_form_key()
    assert uploaded(client, "code\nA-0000001\n", form_key=key).status_code == 302
    again = uploaded(client, "code\nA-0000001\n", form_key=key)
    assert "sent already" in again.content.decode()
    assert Batch.objects.count() == 1


def test_both_or_neither_is_told_at_the_field(client, sign_in):
    sign_in("operator")
    assert "not both" in uploaded(client, "code\nA\n", text="A-1").content.decode()
    assert "Choose a file or paste" in uploaded(client, "", file="").content.decode()
    assert not Batch.objects.exists()


def test_codes_are_voided_from_the_list_with_a_reason(client, sign_in):
    user = sign_in("operator")
    free, other = VoucherFactory(), VoucherFactory()
    row = {"action": "void", "_selected_action": [free.pk]}
    assert "Reason" in client.post("/admin/vouchers/voucher/", row).content.decode()
    client.post("/admin/vouchers/voucher/", row | {"post": "yes", "form_key": new_form_key()})
    free.refresh_from_db()
    assert free.status == "available"
    sent = {"post": "yes", "form_key": new_form_key(), "reason": "recalled"}
    client.post("/admin/vouchers/voucher/", row | sent)
    free.refresh_from_db()
    other.refresh_from_db()
    assert (free.status, free.void_reason, free.voided_by) == ("void", "recalled", user)
    assert other.status == "available"


def test_lists_cost_the_same_for_2_rows_and_for_20(client, sign_in):
    sign_in("operator")
    addresses = ["/admin/vouchers/stock/", "/admin/vouchers/batch/",
                 "/admin/catalog/partnersource/", "/admin/catalog/partner/"]  # fmt: skip

    def fill(count):
        for number in range(count):
            variant = pool_of(f"{number}-{Variant.objects.count()}-CODE", low_stock_threshold=5)
            Batch.objects.create(variant=variant, supplier="Acme")
            partner = PartnerFactory(slug=f"p{variant.pk}")
            PartnerHealth.objects.create(partner=partner)
            SourceFactory(variant=variant, partner=partner)

    fill(2)
    before = {address: cost_of(client, address)[0] for address in addresses}
    fill(18)
    assert {address: cost_of(client, address)[0] for address in addresses} == before
    assert "1 left" in client.get("/admin/vouchers/stock/").content.decode()


def test_a_connection_is_checked_without_buying(client, sign_in, zendit):
    sign_in("operator")
    partner, stranger = PartnerFactory(), PartnerFactory(slug="by-hand")
    answer = client.post(
        "/admin/catalog/partner/",
        {"action": "ask", "_selected_action": [partner.pk, stranger.pk]}, follow=True,
    ).content.decode()  # fmt: skip
    assert "By-Hand is not asked by us" in answer
    assert "Zendit" in answer
    assert zendit.asked == []


def test_only_what_was_changed_in_the_list_is_saved(client, sign_in):
    sign_in("operator")
    variant = pool_of(price="100.00")
    page = client.get("/admin/catalog/variant/").context["cl"].formset
    sent = {name: value for form in page.forms for name, value in fields_of(form)}
    sent |= {f"form-{name}": page.management_form[name].value()
             for name in ("TOTAL_FORMS", "INITIAL_FORMS")}  # fmt: skip
    Variant.objects.filter(pk=variant.pk).update(price="150.00")  # somebody else, meanwhile
    answer = client.post(
        "/admin/catalog/variant/", sent | {"form-0-low_stock_threshold": "7", "_save": "Save"}
    )
    assert answer.status_code == 302
    variant.refresh_from_db()
    assert (str(variant.price), variant.low_stock_threshold) == ("150.00", 7)


def fields_of(form):
    for bound in form:
        value = bound.value()
        if value not in (None, False):
            yield bound.html_name, value
            yield bound.html_initial_name, value


class TestApi:
    URL = "/api/v1/admin/batches"

    def post(self, client, user, body, **headers):
        kind = "application/json"
        return client.post(self.URL, body, content_type=kind, headers=headers, **bearer(user))

    def test_codes_come_in_once(self, client):
        user, variant = UserFactory(operator=True), pool_of("HELD-0001")
        body = {
            "variant_id": variant.pk, "supplier": "Acme", "unit_cost": 95.5,
            "codes": [{"code": "0012345", "pin": "0042"}, {"code": "held-0001"}, {"pin": "1"}],
        }  # fmt: skip
        first = self.post(client, user, body, **{"Idempotency-Key": "once"})
        again = self.post(client, user, body, **{"Idempotency-Key": "once"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["data"]["status"] == "READING"
        pk = first.json()["data"]["id"]
        assert [row.pk for row in Batch.objects.all()] == [pk]
        work_on_import(pk)
        told = client.get(f"{self.URL}/{pk}", **bearer(user)).json()["data"]
        assert (told["status"], told["rows_read"], told["codes_added"]) == ("DONE", 3, 1)
        rows = client.get(f"{self.URL}/{pk}/rows", **bearer(user)).json()["data"]["items"]
        assert [(row["row"], row["outcome"]) for row in rows] == [(2, "held"), (3, "error")]

    def test_a_preview_waits_for_its_word(self, client):
        user, variant = UserFactory(operator=True), pool_of()
        body = {"variant_id": variant.pk, "supplier": "Acme", "codes": [{"code": "A-0000001"}]}
        pk = self.post(client, user, body | {"preview": True}).json()["data"]["id"]
        work_on_import(pk)
        assert not Voucher.objects.filter(batch=pk).exists()
        done = client.post(
            f"{self.URL}/{pk}/confirm", {}, content_type="application/json", **bearer(user)
        )
        assert done.json()["data"]["status"] == "LOADING"
        work_on_import(pk)
        assert Voucher.objects.filter(batch=pk).count() == 1
        late = client.post(
            f"{self.URL}/{pk}/cancel", {}, content_type="application/json", **bearer(user)
        )
        assert late.status_code == 409

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"variant_id": 2**61}, "variant_id"),
            ({"codes": []}, "codes"),
            ({"codes": [{"code": 12345}]}, "codes.0.code"),
            ({"codes": [{"code": "A", "colour": "red"}]}, "codes.0.colour"),
            ({"nickname": "x"}, "nickname"),
        ],
    )
    def test_what_is_wrong_is_named(self, client, change, field):
        body = {"variant_id": pool_of().pk, "supplier": "Acme", "codes": [{"code": "A-0000001"}]}
        answer = self.post(client, UserFactory(operator=True), body | change)
        assert answer.status_code == 400
        assert answer.json()["error"]["details"][0]["field"] == field
        assert not Batch.objects.exists()


def test_an_import_that_waits_for_its_worker_says_so(client, sign_in):
    sign_in("operator")
    uploaded(client, "code\nA-0000001\n")
    batch = Batch.objects.get()
    assert timezone.now() > batch.created_at
    assert client.get(f"/admin/vouchers/batch/{batch.pk}/progress").json() == {
        "status": "READING", "read": 0, "good": 0, "loaded": 0, "rows": 0, "percent": 0,
    }  # fmt: skip
