"""Codes come in once each, whatever breaks on the way, and nothing of them stands in the clear."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from core.errors import BadRequest, Conflict
from vouchers import loading
from vouchers.ciphers import unseal_secret
from vouchers.imports import (
    About,
    begin_import,
    cancel_import,
    confirm_import,
    void_unsold,
)
from vouchers.models import Batch, BatchChunk, BatchUpload, Voucher
from vouchers.states import FROM_API, PASTED, BatchStatus
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db


def begun(text, *, file_name="codes.csv", asks=True, **about):
    variant = about.pop("variant", None) or VariantFactory()
    content = text if isinstance(text, bytes) else text.encode()
    return begin_import(
        About(variant, "Acme", **about), content, file_name=file_name, by_id=None, asks=asks
    )


def claimed(batch):
    batch = loading.claim(batch.pk, now=timezone.now())
    assert batch is not None
    return batch


def work(batch, *, until=lambda: False):
    """What the worker does, in one go."""
    batch = claimed(batch)
    if batch.status == BatchStatus.READING:
        loading.read(batch)
    if batch.status == BatchStatus.LOADING:
        loading.load(batch, until=until)
    loading.give_back(batch)
    batch.refresh_from_db()
    return batch


def imported(text, **kwargs):
    batch = work(begun(text, **kwargs))
    if batch.status == BatchStatus.READY and batch.good:
        confirm_import(batch.pk, now=timezone.now())
        batch = work(batch)
    return batch


def codes_of(batch):
    rows = batch.vouchers.order_by("pk")
    return sorted(unseal_secret(row.secret).code for row in rows)


def report(batch):
    return [(line.row_no, line.outcome) for line in batch.lines.all()]


def test_good_rows_are_imported_and_the_others_say_why():
    VoucherFactory(code="HELD-0001")
    text = "code,pin\n0012345,0042\nABCD-0001,\n,99\nabcd-0001,\nHELD0001,\nHELD-0001,\n"

    batch = work(begun(text, unit_cost=95))

    assert (batch.status, batch.read, batch.good, batch.rows) == ("READY", 6, 3, 0)
    assert Voucher.objects.filter(batch=batch).count() == 0
    confirm_import(batch.pk, now=timezone.now())
    batch = work(batch)
    assert (batch.status, batch.loaded, batch.rows) == ("DONE", 3, 3)
    assert codes_of(batch) == ["0012345", "ABCD-0001", "HELD0001"]
    assert report(batch) == [(4, "error"), (5, "double"), (7, "held")]
    assert {bytes(line.sealed) for line in batch.lines.all()} == {b""}  # each was understood


def test_one_spelling_is_one_code():
    batch = imported("code\nABCD-0001\nabcd-0001\n ABCD-0001 \n")
    assert codes_of(batch) == ["ABCD-0001"]
    assert report(batch) == [(3, "double"), (4, "double")]
    assert batch.lines.first().message == "This code stands in row 2 already."


def test_a_code_that_came_meanwhile_is_reported():
    batch = work(begun("code\nABCD-0001\nABCD-0002\n"))
    VoucherFactory(code="ABCD-0002")
    confirm_import(batch.pk, now=timezone.now())
    batch = work(batch)
    assert (batch.rows, batch.loaded) == (1, 2)
    assert report(batch) == [(3, "held")]


@pytest.mark.parametrize("what", ["read", "load"])
def test_it_goes_on_where_it_was_killed(monkeypatch, what):
    monkeypatch.setattr(loading, "CHUNK", 10)
    batch = begun("code\n" + "".join(f"CODE-{n:05d}\n" for n in range(45)))
    if what == "load":
        batch = work(batch)
        confirm_import(batch.pk, now=timezone.now())
    dying = claimed(batch)
    name = "_store" if what == "read" else "_load_chunk"
    whole, left = getattr(loading, name), [2]

    def dies(*args, **kwargs):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return whole(*args, **kwargs)

    monkeypatch.setattr(loading, name, dies)
    with pytest.raises(KeyboardInterrupt):
        loading.read(dying) if what == "read" else loading.load(dying, until=lambda: False)
    monkeypatch.setattr(loading, name, whole)
    batch.refresh_from_db()
    assert (batch.read, batch.rows) == ((20, 0) if what == "read" else (45, 20))
    assert loading.claim(batch.pk, now=timezone.now()) is None  # its lease holds
    assert loading.unattended(now=timezone.now()) == []
    later = timezone.now() + settings.IMPORT_LEASE + timedelta(seconds=1)
    assert loading.unattended(now=later) == [batch.pk]
    Batch.objects.update(claimed_at=timezone.now() - settings.IMPORT_LEASE - timedelta(seconds=1))
    batch = work(batch)
    if what == "read":
        confirm_import(batch.pk, now=timezone.now())
        batch = work(batch)
    assert (batch.read, batch.good, batch.loaded, batch.rows) == (45, 45, 45, 45)
    assert codes_of(batch) == [f"CODE-{n:05d}" for n in range(45)]
    assert report(batch) == []


def test_catching_up_keeps_the_claim(monkeypatch):
    """Else, with a file that takes longer to go through than a lease, each would stop the last."""
    monkeypatch.setattr(loading, "CHUNK", 10)
    batch = begun("code\n" + "".join(f"CODE-{n:05d}\n" for n in range(40)))
    dying = claimed(batch)
    whole, left = loading._store, [3]

    def dies(*args):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        whole(*args)

    monkeypatch.setattr(loading, "_store", dies)
    with pytest.raises(KeyboardInterrupt):
        loading.read(dying)
    monkeypatch.setattr(loading, "_store", whole)
    Batch.objects.update(claimed_at=timezone.now() - settings.IMPORT_LEASE * 2)
    following = claimed(batch)
    told_apart = loading._told_apart

    def slowly(row, seen):
        if row.row_no == 25:  # in the third of three chunks that stand already
            kept = Batch.objects.get(pk=batch.pk).claimed_at
            assert kept > begun_at
        return told_apart(row, seen)

    begun_at = following.claimed_at
    monkeypatch.setattr(loading, "_told_apart", slowly)
    loading.read(following)
    batch.refresh_from_db()
    assert (batch.read, batch.status) == (40, "READY")


def test_an_import_is_claimed_alone():
    first, second = begun("code\nABCD-0001\n"), begun("code\nABCD-0002\n")
    claimed(first)
    assert loading.unattended(now=timezone.now()) == [second.pk]


def test_the_last_word_is_said_once():
    batch, now = work(begun("code\nABCD-0001\n")), timezone.now()
    assert confirm_import(batch.pk, now=now).status == "LOADING"
    batch.refresh_from_db()
    assert batch.started_at == now
    with pytest.raises(Conflict, match="not waiting"):
        confirm_import(batch.pk, now=timezone.now())


def test_of_a_file_that_is_too_long_nothing_is_kept(monkeypatch):
    """It is known in the middle only: what was read by then stands in chunks."""
    monkeypatch.setattr(loading, "CHUNK", 2)
    monkeypatch.setattr(loading, "MAX_ROWS", 3)
    batch = work(begun("code\nAAAA-0001\nAAAA-0002\nAAAA-0003\nAAAA-0004\n"))
    assert (batch.status, batch.problem[:11]) == ("REFUSED", "More than 3")
    assert not batch.chunks.exists()
    assert not batch.uploads.exists()


@pytest.mark.parametrize(("failures", "status"), [(1, "DONE"), (2, "LOADING")])
def test_a_code_that_somebody_holds_is_waited_for_and_not_for_ever(monkeypatch, failures, status):
    """What could not be loaded is an error of the worker, and never taken for loaded."""
    monkeypatch.setattr(loading, "TRIES", 2)
    whole, left = loading._load_chunk, [failures]

    def busy(*args):
        if left[0]:
            left[0] -= 1
            raise OperationalError("lock timeout")
        return whole(*args)

    monkeypatch.setattr(loading, "_load_chunk", busy)
    batch = work(begun("code\nABCD-0001\n"))
    confirm_import(batch.pk, now=timezone.now())
    if status == "DONE":
        work(batch)
    else:
        with pytest.raises(OperationalError):
            work(batch)
    batch.refresh_from_db()
    assert (batch.status, batch.rows) == (status, int(status == "DONE"))


def test_who_lost_the_claim_stops():
    batch = begun("code\nABCD-0001\n")
    first = claimed(batch)
    Batch.objects.update(claimed_at=timezone.now() - settings.IMPORT_LEASE * 2)
    second = claimed(batch)
    with pytest.raises(loading.Stopped):
        loading.read(first)
    loading.read(second)
    batch.refresh_from_db()
    assert (batch.status, batch.good) == ("READY", 1)


def test_a_chunk_that_is_loaded_is_not_loaded_again():
    batch = work(begun("code\nABCD-0001\n"))
    confirm_import(batch.pk, now=timezone.now())
    mine = claimed(batch)
    chunk = mine.chunks.get()
    for _ in range(2):
        loading._load_chunk(mine, chunk.pk)
    batch.refresh_from_db()
    assert (batch.loaded, batch.rows) == (1, 1)


def test_a_slice_ends_between_two_chunks(monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 2)
    batch = work(begun("code\nAAAA-0001\nAAAA-0002\nAAAA-0003\n"))
    confirm_import(batch.pk, now=timezone.now())
    turns = iter([False, True])
    batch = work(batch, until=lambda: next(turns))
    assert (batch.status, batch.rows, batch.claimed_at) == ("LOADING", 2, None)
    assert work(batch).rows == 3


@pytest.mark.parametrize("stage", ["begun", "read", "done", "cancelled", "pasted"])
def test_no_code_stands_in_the_clear(stage):
    code, pin = "CANARY-7Q2X-9M4K", "PIN-559911"
    if stage == "pasted":
        work(begun(f"CANARY 7Q2X 9M4K and more {pin}", file_name=PASTED))
    else:
        batch = begun(f"code,pin\n{code},{pin}\n")
        if stage != "begun":
            batch = work(batch)
        if stage == "done":
            confirm_import(batch.pk, now=timezone.now())
            work(batch)
        if stage == "cancelled":
            cancel_import(batch.pk, now=timezone.now())
    for model in (Batch, BatchUpload, BatchChunk, Voucher):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {model._meta.db_table} t")  # noqa: S608
            dump = cursor.fetchone()[0] or ""
        for word in (code, pin, code.encode().hex(), pin.encode().hex(), "7Q2X"):
            assert word not in dump
    if stage != "begun":
        assert not BatchUpload.objects.exists()
    if stage in ("done", "cancelled"):
        assert not BatchChunk.objects.exclude(sealed=b"").exists()


def test_what_can_not_be_read_is_refused_with_its_reason():
    batch = work(begun(b"\xd0\xcf\x11\xe0 old"))
    assert (batch.status, batch.problem) == (
        "REFUSED", "This is an old or protected Excel file. Save it as XLSX or CSV.",
    )  # fmt: skip
    assert not BatchUpload.objects.exists()
    with pytest.raises(Conflict):
        confirm_import(batch.pk, now=timezone.now())


def test_too_much_or_nothing_is_refused_at_the_door(monkeypatch):
    monkeypatch.setattr("vouchers.imports.MAX_BYTES", 10)
    for content, why in ((b" \n", "nothing"), (b"X" * 11, "At most")):
        with pytest.raises(BadRequest, match=why):
            begun(content)
    assert not Batch.objects.exists()
    assert begun(b"X" * 10).pk


def test_from_the_api_nobody_is_asked():
    text = '[{"code": "ABCD-0001", "pin": "0042"}, {"code": ""}]'
    batch = work(begun(text, file_name=FROM_API, asks=False))
    assert (batch.status, batch.rows) == ("DONE", 1)
    assert report(batch) == [(2, "error")]


def test_only_free_codes_are_voided_and_it_is_recorded(django_user_model):
    from orders.tests.factories import OrderFactory, OrderItemFactory

    sold = VoucherFactory(order_item=OrderItemFactory(order=OrderFactory(paid=True)))
    free = VoucherFactory()
    staff = django_user_model.objects.create_staff(email="a@b.example", password=None)
    with pytest.raises(BadRequest):
        void_unsold(Voucher.objects.all(), reason=" ", by_id=staff.pk, now=timezone.now())

    count = void_unsold(Voucher.objects.all(), reason="bad lot", by_id=staff.pk, now=timezone.now())

    assert count == 1
    free.refresh_from_db()
    sold.refresh_from_db()
    assert (free.status, free.void_reason, free.voided_by) == ("void", "bad lot", staff)
    assert sold.status == "sold"
