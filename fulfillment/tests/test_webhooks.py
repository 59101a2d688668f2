"""Partners' webhooks: hints that make us look, from senders who know the secret."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from catalog.tests.factories import PartnerFactory
from fulfillment.models import PartnerCallback, PartnerTransaction
from fulfillment.processing import process
from fulfillment.selectors import due_purchases
from fulfillment.tests.factories import codes_of, offered, paid_order
from fulfillment.tests.partner import ScriptedZendit, code_of
from orders.models import Order
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db

SECRET = "a-long-random-secret-of-zendit"
SIGNING = "a-long-random-secret-of-reloadly"
FORGED = "FAKE-0000-0000"


@pytest.fixture(autouse=True)
def own(settings: Any) -> None:
    settings.ZENDIT_WEBHOOK_HEADER = "X-Our-Own-Header"
    settings.ZENDIT_WEBHOOK_SECRET = SECRET
    settings.RELOADLY_WEBHOOK_SECRET = SIGNING


@pytest.fixture
def sender() -> Client:
    """An address of its own, so that nobody else's tries count."""
    return Client(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1")


def tell(sender: Client, body: Any, *, secret: str = SECRET, partner: str = "zendit") -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Our-Own-Header": secret} if secret else {}
    return sender.post(
        f"/api/v1/{partner}/webhook", text, content_type="application/json", headers=headers
    )


def signed(sender: Client, body: Any, *, stamp: str = "", secret: str = SIGNING) -> Any:
    text = json.dumps(body).encode()
    stamp = stamp or str(int(timezone.now().timestamp()))
    signature = hmac.new(secret.encode(), text + f":{stamp}".encode(), hashlib.sha256).hexdigest()
    headers = {"X-Reloadly-Signature": signature, "X-Reloadly-Request-Timestamp": stamp}
    where = "/api/v1/reloadly/webhook"
    return sender.post(where, text, content_type="application/json", headers=headers)


def notice(reference: str, status: str = "DONE") -> dict[str, Any]:
    receipt = {"epin": FORGED, "deliveryType": "PIN"}
    return {"transactionId": reference, "status": status, "receipt": receipt}


@pytest.fixture
def waiting(zendit: ScriptedZendit) -> PartnerTransaction:
    """A purchase that is at work at the partner, to be looked at in some minutes."""
    zendit.meets("SLOW", "accepted")
    order = paid_order((offered("SLOW"), 1))
    process(order_id=order.pk)
    PartnerTransaction.objects.update(next_check_at=timezone.now() + timedelta(minutes=5))
    return PartnerTransaction.objects.get()


def state_of(purchase: PartnerTransaction) -> tuple[str, bool]:
    """Its status, and whether it is due."""
    purchase.refresh_from_db()
    return purchase.status, due_purchases(now=timezone.now()).filter(pk=purchase.pk).exists()


def test_a_notice_makes_the_look_up_due_and_nothing_more(
    sender: Client, waiting: PartnerTransaction, zendit: ScriptedZendit
) -> None:
    asked = len(zendit.asked)

    answer = tell(sender, notice(waiting.reference))

    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert state_of(waiting) == ("PENDING", True)
    assert len(zendit.asked) == asked
    assert Voucher.objects.count() == 0


def test_a_forged_done_delivers_nothing(
    sender: Client, waiting: PartnerTransaction, zendit: ScriptedZendit
) -> None:
    tell(sender, notice(waiting.reference))
    process(order_id=waiting.item.order_id)

    assert zendit.looked_up == [waiting.reference]
    assert state_of(waiting)[0] == "PENDING"
    assert Voucher.objects.count() == 0


def test_a_true_notice_delivers_what_the_look_up_says(
    sender: Client, waiting: PartnerTransaction, zendit: ScriptedZendit
) -> None:
    zendit.deliver(waiting.reference)
    tell(sender, notice(waiting.reference))
    process(order_id=waiting.item.order_id)

    order = Order.objects.get(pk=waiting.item.order_id)
    assert (order.status, codes_of(order)) == ("SUCCEEDED", [code_of(waiting.reference)])


def test_the_worker_is_woken(
    sender: Client, waiting: PartnerTransaction, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        tell(sender, notice(waiting.reference))
        tell(sender, notice("99999999I1U1T1"))

    (bell,) = callbacks
    assert bell.keywords == {"order_id": waiting.item.order_id}


def test_the_same_notice_is_one_row_and_no_code_is_kept(
    sender: Client, waiting: PartnerTransaction
) -> None:
    for _ in range(3):
        assert tell(sender, notice(waiting.reference)).status_code == 200

    (row,) = PartnerCallback.objects.values()
    assert (row["partner"], row["purchase_id"], row["times"]) == ("zendit", waiting.pk, 3)
    assert (row["reference"], row["claimed_status"]) == (waiting.reference, "DONE")
    assert row["last_received_at"] > row["received_at"]
    assert FORGED not in str(row)


def test_undecided_is_kept_and_asks_nothing(sender: Client, waiting: PartnerTransaction) -> None:
    tell(sender, notice(waiting.reference, "IN_PROGRESS"))

    assert state_of(waiting) == ("PENDING", False)
    PartnerTransaction.objects.update(status="UNKNOWN")
    tell(sender, notice(waiting.reference, "IN_PROGRESS"))
    assert state_of(waiting) == ("UNKNOWN", True)
    assert PartnerCallback.objects.get().times == 2


def test_a_notice_after_the_end_changes_nothing(
    sender: Client, waiting: PartnerTransaction, zendit: ScriptedZendit
) -> None:
    zendit.refuse(waiting.reference)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        process(order_id=waiting.item.order_id)
    assert state_of(waiting) == ("FAILED", False)

    assert tell(sender, notice(waiting.reference)).status_code == 200

    assert state_of(waiting) == ("FAILED", False)


def test_one_that_is_being_sent_is_left_to_its_sender(
    sender: Client, waiting: PartnerTransaction
) -> None:
    PartnerTransaction.objects.filter(pk=waiting.pk).update(status="UNKNOWN")
    PartnerTransaction.objects.filter(pk=waiting.pk).update(status="SENT", sent_at=timezone.now())

    tell(sender, notice(waiting.reference))

    assert state_of(waiting) == ("SENT", False)


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET.upper(), "ключ"])
def test_without_the_secret_nothing_is_kept(
    sender: Client, waiting: PartnerTransaction, secret: str
) -> None:
    answer = tell(sender, notice(waiting.reference), secret=secret)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert PartnerCallback.objects.count() == 0
    assert state_of(waiting) == ("PENDING", False)


def test_a_shop_without_a_secret_hears_nobody(sender: Client, settings: Any) -> None:
    settings.ZENDIT_WEBHOOK_SECRET = settings.RELOADLY_WEBHOOK_SECRET = ""

    assert tell(sender, notice("X"), secret="").status_code == 401
    assert signed(sender, {"data": {"customIdentifier": "X"}}, secret="").status_code == 401


def test_another_partners_reference_is_not_found(
    sender: Client, waiting: PartnerTransaction
) -> None:
    waiting.partner = PartnerFactory(slug="reloadly")
    waiting.save()

    assert tell(sender, notice(waiting.reference)).status_code == 200

    assert PartnerCallback.objects.get().purchase is None
    assert state_of(waiting) == ("PENDING", False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"transactionId": 7}',
        b'{"transactionId": "a\\u0000b"}',
        b'{"transactionId": "' + b"9" * 1000 + b'"}',
        b'{"status": "DONE"}',
    ],
)
def test_a_notice_that_cannot_be_read_is_kept_and_names_nothing(
    sender: Client, body: bytes
) -> None:
    assert tell(sender, body).status_code == 200
    assert PartnerCallback.objects.get().purchase is None


def test_the_console_checks_the_address(sender: Client) -> None:
    answer = sender.head("/api/v1/zendit/webhook")
    assert (answer.status_code, answer.content) == (200, b"")
    for method in ("get", "put", "delete", "patch"):
        assert getattr(sender, method)("/api/v1/zendit/webhook").status_code == 405
    assert sender.post("/api/v1/nobody/webhook").status_code == 404


def test_limits_of_size_and_pace(sender: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    too_large = tell(sender, b"x" * 100_001)
    assert (too_large.status_code, too_large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    monkeypatch.setattr("fulfillment.webhook_views.PER_MINUTE", 3)
    answers = [tell(sender, notice("X"), secret="wrong").status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]
    limited = tell(sender, notice("X"))
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert PartnerCallback.objects.count() == 0


def test_without_redis_notices_are_still_heard(
    sender: Client, waiting: PartnerTransaction, settings: Any
) -> None:
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }

    assert tell(sender, notice(waiting.reference)).status_code == 200
    assert state_of(waiting) == ("PENDING", True)


# Reloadly


def transaction(reference: str, status: str = "SUCCESSFUL") -> dict[str, Any]:
    data = {"transactionId": 7, "customIdentifier": reference, "status": status}
    return {"type": "giftcard_transaction.status", "data": data}


@pytest.fixture
def at_reloadly(waiting: PartnerTransaction) -> PartnerTransaction:
    waiting.partner = PartnerFactory(slug="reloadly")
    waiting.save()
    return waiting


@pytest.mark.parametrize("factor", [1, 1000])
def test_a_signed_notice_makes_the_look_up_due(
    sender: Client, at_reloadly: PartnerTransaction, factor: int
) -> None:
    stamp = str(int(timezone.now().timestamp() * factor))

    answer = signed(sender, transaction(at_reloadly.reference), stamp=stamp)

    assert answer.status_code == 200
    assert state_of(at_reloadly) == ("PENDING", True)
    assert PartnerCallback.objects.get().partner == "reloadly"


def test_a_flat_notice_is_read_as_well(sender: Client, at_reloadly: PartnerTransaction) -> None:
    signed(sender, transaction(at_reloadly.reference)["data"])

    assert state_of(at_reloadly) == ("PENDING", True)


@pytest.mark.parametrize("seconds", [-301, 302, None])
def test_an_old_or_odd_stamp_is_refused(
    sender: Client, at_reloadly: PartnerTransaction, seconds: int | None
) -> None:
    moment = str(int(timezone.now().timestamp()) + seconds) if seconds is not None else "soon"

    assert signed(sender, transaction(at_reloadly.reference), stamp=moment).status_code == 401
    assert state_of(at_reloadly) == ("PENDING", False)
    assert PartnerCallback.objects.count() == 0


def test_a_wrong_or_missing_signature_is_refused(
    sender: Client, at_reloadly: PartnerTransaction
) -> None:
    body = transaction(at_reloadly.reference)

    assert signed(sender, body, secret="wrong").status_code == 401
    assert tell(sender, body, partner="reloadly").status_code == 401
    assert state_of(at_reloadly) == ("PENDING", False)
