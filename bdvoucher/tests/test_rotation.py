"""The key ring turns while the shop works, and can be stopped at any row."""

from contextlib import closing
from io import StringIO

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction

from accounts.tests.factories import UserFactory
from bdvoucher import rotation
from bdvoucher.rotation import PLACES, left, rotate
from catalog.tests.factories import VariantFactory
from fulfillment.models import FulfillmentAttempt
from orders.tests.factories import PAID_AT, OrderFactory, OrderItemFactory
from vouchers.ciphers import seal, seal_bytes, unseal, unseal_bytes, unseal_secret
from vouchers.models import Batch, BatchChunk, BatchLine, BatchUpload, Voucher
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db(transaction=True)
K1, K2 = b"1" * 32, b"k" * 32
#: Keyed digests, which no key of the ring has sealed.
DIGESTS = {
    "Voucher.fingerprint", "PartnerCallback.digest", "GatewayCallback.digest",
    "IdempotencyKey.digest", "CarrierConsent.digest", "EmailEvent.digest",
    "FulfillmentOrder.request_digest",
    "OneTimePassword.digest", "RecoveryCode.digest",
}  # fmt: skip
#: Sealed under keys made of SECRET_KEY and its fallbacks, not under the codes' ring.
OTHER_RING = {"SecondFactor.secret"}


@pytest.fixture
def codes(settings):
    settings.CODE_KEYS = {"k1": K1}
    variant = VariantFactory(preloaded=True)
    made = [VoucherFactory(variant=variant, code=f"ROTA-{n:04d}-ABCD") for n in range(7)]
    item = OrderItemFactory(order=OrderFactory(needs_attention=True))
    FulfillmentAttempt.objects.create(
        order=item.order, item=item, type="MANUAL_CODE_INPUT", status="DISPATCHED",
        admin_user=UserFactory(operator=True),
        codes=seal(["TYPED-1"], context="attempt"), created_at=PAID_AT, ended_at=PAID_AT,
    )  # fmt: skip
    settings.CODE_KEYS = {"k2": K2, "k1": K1}
    return made


def told(*options):
    out = StringIO()
    call_command("rotate_codes", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_everything_is_sealed_anew_and_the_old_key_may_go(codes, settings):
    fingerprints = dict(Voucher.objects.values_list("pk", "fingerprint"))
    assert "Every other key may be taken off" in told()
    settings.CODE_KEYS = {"k2": K2}
    found = {unseal_secret(each.secret).code for each in Voucher.objects.all()}
    assert found == {f"ROTA-{n:04d}-ABCD" for n in range(7)}
    assert unseal(FulfillmentAttempt.objects.get().codes, context="attempt") == ["TYPED-1"]
    assert dict(Voucher.objects.values_list("pk", "fingerprint")) == fingerprints


def test_what_is_still_being_imported_comes_along(codes, settings):
    settings.CODE_KEYS = {"k1": K1}
    batch = Batch.objects.create(variant=VariantFactory(preloaded=True), supplier="S")
    kept = {}
    for model, context, more in (
        (BatchUpload, f"upload:{batch.pk}", {"number": 0}),
        (BatchChunk, f"chunk:{batch.pk}:3", {"number": 3}),
        (BatchLine, f"line:{batch.pk}", {"row_no": 1, "outcome": "not_understood"}),
    ):
        sealed = seal_bytes(b"\x89 IN-A-FILE", context=context)
        kept[context] = model.objects.create(batch=batch, sealed=sealed, **more)
    settings.CODE_KEYS = {"k2": K2, "k1": K1}
    told()
    settings.CODE_KEYS = {"k2": K2}
    for context, row in kept.items():
        row.refresh_from_db()
        assert unseal_bytes(row.sealed, context=context) == b"\x89 IN-A-FILE"


def test_a_dry_run_only_counts(codes):
    assert "vouchers.secret: k1: 7" in told("--dry-run")
    assert left(PLACES[0]) == {"k1": 7}


def test_interrupted_it_goes_on_where_it_was(codes, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 3)
    rounds = rotate(PLACES[0])
    next(rounds)
    rounds.close()
    assert left(PLACES[0]) == {"k1": 4, "k2": 3}
    before = dict(Voucher.objects.order_by("pk").values_list("pk", "secret")[:3])
    told()
    assert left(PLACES[0]) == {"k2": 7}
    assert dict(Voucher.objects.order_by("pk").values_list("pk", "secret")[:3]) == before


def test_a_row_in_use_is_passed_over_and_named(codes):
    """Somebody sells this code just now: they don't wait for us, we don't wait for them."""
    busy = codes[2].pk
    parameters = connection.get_connection_params()
    parameters = {
        k: v for k, v in parameters.items() if k in ("dbname", "user", "password", "host", "port")
    }
    with closing(psycopg.connect(**parameters)) as other:
        other.execute("SELECT 1 FROM vouchers WHERE id = %s FOR UPDATE", [busy])
        (done,) = list(rotate(PLACES[0]))
        assert (done.sealed, done.busy) == (6, 1)
        other.rollback()
    assert sum(each.sealed for each in rotate(PLACES[0])) == 1
    assert left(PLACES[0]) == {"k2": 7}


def test_while_it_runs_both_keys_are_read_and_sold(codes, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    for _ in rotate(PLACES[0]):
        with transaction.atomic():
            assert len({unseal_secret(each.secret).code for each in Voucher.objects.all()}) == 7


def test_a_lost_key_is_said_and_nothing_is_spoilt(codes, settings):
    settings.CODE_KEYS = {"k2": K2}
    with pytest.raises(CommandError, match="Keys still needed: k1"):
        told()
    assert left(PLACES[0]) == {"k1": 7}


def test_an_ended_attempt_stays_as_it_is_but_for_its_seal(codes):
    """Nobody changes what was typed, not even while keys are turned."""
    attempt = FulfillmentAttempt.objects.get()
    for change in ({"codes": b"k2:x"}, {"notes": "x"}):
        with pytest.raises(IntegrityError, match="final"), transaction.atomic():
            FulfillmentAttempt.objects.filter(pk=attempt.pk).update(**change)
    for change in ({"codes": b""}, {"codes": b"k2:x", "notes": "x"}):
        with pytest.raises(IntegrityError, match="final"):
            while_turning(attempt.pk, change)


@transaction.atomic
def while_turning(pk, change):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL bdv.rotating = 'on'")
    FulfillmentAttempt.objects.filter(pk=pk).update(**change)


def test_no_sealed_column_is_forgotten():
    """A new binary column is either sealed, and on the list, or a digest, and named here."""
    found = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField)
    }
    sealed = {f"{place.model.__name__}.{place.column}" for place in PLACES}
    assert found - DIGESTS - OTHER_RING == sealed
