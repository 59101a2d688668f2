"""The same file twice at once while an operator types some of its codes: each code once."""

import pytest
from django.utils import timezone

from catalog.tests.factories import VariantFactory
from orders.tests.factories import OrderFactory, OrderItemFactory
from tests.races.crowd import at_once
from vouchers import loading
from vouchers.ciphers import Secret, unseal_secret
from vouchers.imports import About, begin_import
from vouchers.models import Batch, BatchLine, Voucher
from vouchers.pool import NewCode
from vouchers.services import CodeTaken, store_issued
from vouchers.states import BatchStatus

pytestmark = pytest.mark.django_db(transaction=True)
CODES = [f"RACE-{number:06d}" for number in range(300)]


def test_each_code_once_and_every_report_true(monkeypatch):  # noqa: C901 - five at once
    from django.db import transaction

    monkeypatch.setattr(loading, "CHUNK", 50)
    variant = VariantFactory()
    text = ("code\n" + "\n".join(CODES)).encode()
    batches = [
        begin_import(About(variant, "Acme"), text, file_name="a.csv", by_id=None, asks=False)
        for _ in range(2)
    ]
    order = OrderFactory(paid=True)
    items = [OrderItemFactory(order=order, variant=variant, quantity=10) for _ in range(2)]
    typed = {0: list(reversed(CODES[5:300:30])), 1: CODES[10:300:30]}

    def work(batch):
        batch = loading.claim(batch.pk, now=timezone.now())
        if batch is None:
            return "busy"
        loading.read(batch)
        if batch.status == BatchStatus.LOADING:
            loading.load(batch, until=lambda: False)
        return batch.pk

    def types(number):
        """All codes of the item in one transaction, as the order page does; else none."""
        taken = []
        for unit, code in enumerate(typed[number], 1):
            try:
                with transaction.atomic():
                    store_issued(items[number], unit, NewCode(Secret(code)), now=timezone.now())
                taken.append(code)
            except CodeTaken:
                continue
        return taken

    def all_typed_at_once(number):
        try:
            with transaction.atomic():
                for unit, code in enumerate(typed[number], 1):
                    store_issued(items[number], unit, NewCode(Secret(code)), now=timezone.now())
        except CodeTaken:
            return []
        return typed[number]

    jobs = [
        lambda: work(batches[0]), lambda: work(batches[1]), lambda: work(batches[0]),
        lambda: types(0), lambda: all_typed_at_once(1),
    ]  # fmt: skip
    answers = at_once(len(jobs), lambda number: jobs[number]())

    assert not [each for each in answers if isinstance(each, Exception)], answers
    held = [unseal_secret(row.secret).code for row in Voucher.objects.all()]
    assert sorted(held) == CODES
    by_hand = set(answers[3]) | set(answers[4])
    sold = Voucher.objects.filter(status="sold")
    assert {unseal_secret(row.secret).code for row in sold} == by_hand
    for batch in batches:
        batch.refresh_from_db()
        added = {unseal_secret(row.secret).code for row in batch.vouchers.all()}
        told = {CODES[line.row_no - 2] for line in batch.lines.all()}
        assert batch.status == "DONE"
        assert batch.rows == len(added)
        assert added | told == set(CODES)
        assert not added & told
        assert set(batch.lines.values_list("outcome", flat=True)) <= {"held"}
    assert Batch.objects.count() == 2
    assert BatchLine.objects.count() == 600 - sum(batch.rows for batch in batches)
