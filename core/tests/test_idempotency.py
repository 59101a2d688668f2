"""The same request twice is the same answer twice (D24)."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core.api.envelope import ok
from core.api.idempotency import idempotent
from core.errors import Conflict
from core.models import IdempotencyKey

pytestmark = pytest.mark.django_db


class Till(APIView):
    """Counts how often it is really asked; `fails` is what it raises."""

    authentication_classes: list[type] = []
    permission_classes: list[type] = []
    asked = 0
    fails: Exception | None = None

    @idempotent
    def post(self, request):
        type(self).asked += 1
        if self.fails is not None:
            raise self.fails
        return ok({"number": type(self).asked}, status=201)


@pytest.fixture
def till():
    return type("OneTill", (Till,), {})


def send(till, body=None, key="key-1", user=7) -> Response:
    request = APIRequestFactory().post(
        "/till", body or {"a": 1}, format="json", headers={"Idempotency-Key": key} if key else {}
    )
    till.perform_authentication = lambda _, asked: setattr(asked, "user", SimpleNamespace(pk=user))
    response = till.as_view()(request)
    response.render()
    return response


def test_a_repeat_replays_the_first_answer(till):
    first, again = send(till), send(till)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Idempotent-Replay"] == "true"
    assert till.asked == 1


def test_without_a_key_every_request_counts(till):
    send(till, key=None)
    send(till, key=None)
    assert (till.asked, IdempotencyKey.objects.count()) == (2, 0)


def test_another_body_or_another_caller(till):
    send(till)
    assert send(till, body={"a": 2}).status_code == 422
    assert send(till, user=8).status_code == 201
    assert till.asked == 2


def test_a_refusal_is_kept(till):
    till.fails = Conflict("No.")
    assert send(till).status_code == 409
    till.fails = None
    assert send(till).status_code == 409
    assert till.asked == 1


def test_what_nobody_expected_forgets_the_key(till):
    till.fails = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        send(till)
    assert IdempotencyKey.objects.count() == 0
    till.fails = None
    assert send(till).status_code == 201


def test_one_still_running_is_409_until_its_lease_is_over(till):
    send(till)
    rows = IdempotencyKey.objects.all()
    rows.update(status=None, body=None, claimed_at=timezone.now())
    assert send(till).status_code == 409
    rows.update(claimed_at=timezone.now() - timedelta(minutes=2))
    assert send(till).status_code == 201
    assert till.asked == 2


def test_a_key_is_new_again_after_a_day(till):
    send(till)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert send(till, body={"a": 2}).status_code == 201
    assert till.asked == 2


@pytest.mark.parametrize("key", ["x" * 201, "tab\there"])
def test_a_key_that_is_none_is_refused_by_name(till, key):
    answer = send(till, key=key)
    assert answer.status_code == 400
    assert answer.data["error"]["details"][0]["field"] == "Idempotency-Key"
    assert till.asked == 0
