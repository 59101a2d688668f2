"""Every operator route, found in the urlconf, refuses strangers, customers, and staff without
the right (I24)."""

import re

import pytest
from rest_framework.test import APIClient

from accounts.authentication import ADMIN, CLIENT, tokens_for
from accounts.tests.factories import UserFactory, bearer
from core.api.permissions import StaffMay
from orders.tests.factories import OrderFactory
from tests.architecture.routes import VERBS, view_of, walk


def operator_routes():
    for where, callback in walk():
        of_staff = where.startswith(("api/v1/admin/", "admin/", "ordersv2/"))
        view = view_of(callback)
        if of_staff and not where.startswith("api/v1/admin/auth/") and view is not None:
            yield from ((where, verb, view) for verb in VERBS if hasattr(view, verb))


FOUND = sorted(operator_routes(), key=lambda found: found[:2])
EACH = pytest.mark.parametrize(
    ("where", "verb", "view"), FOUND, ids=[f"{verb} {where}" for where, verb, _ in FOUND]
)


def test_both_families_of_the_seeds_paths_are_there():
    tails = ("", *(f"/fulfillment/{each}" for each in (
        "manual-code", "manual-codes", "partner-retry", "resend-email",
    )), "/fulfillment-attempts")  # fmt: skip
    expected = {
        f"{mount}<digits:key>{tail}" for mount in ("admin/orders/", "api/v1/admin/orders/")
        for tail in tails
    }  # fmt: skip
    expected |= {
        f"{mount}<digits:key>{tail}" for mount in ("ordersv2/", "api/v1/admin/ordersv2/")
        for tail in ("", "/email/send")
    }  # fmt: skip
    assert expected <= {where for where, _, _ in FOUND}


@EACH
@pytest.mark.django_db
def test_it_asks_for_a_staff_token_and_a_right(where, verb, view):
    assert StaffMay in view.permission_classes
    right = view.required_permission
    assert "." in (right if isinstance(right, str) else right[verb.upper()])
    url = "/" + re.sub(r"<[^>]+>", str(OrderFactory().pk), where)
    customer, nobody = UserFactory(), UserFactory(staff=True)
    forged, _ = tokens_for(customer, door=ADMIN)
    turned, _ = tokens_for(UserFactory(owner=True), door=CLIENT)
    assert asked(url, verb) == 401
    assert asked(url, verb, HTTP_AUTHORIZATION="Bearer nonsense") == 401
    assert asked(url, verb, **bearer(customer)) in (401, 403)
    assert asked(url, verb, HTTP_AUTHORIZATION=f"Bearer {forged}") in (401, 403)
    assert asked(url, verb, HTTP_AUTHORIZATION=f"Bearer {turned}") in (401, 403)
    assert asked(url, verb, **bearer(nobody)) == 403


def asked(url, verb, **headers):
    answer = getattr(APIClient(), verb)(url, {}, format="json", **headers)
    assert answer.json()["success"] is False
    assert set(answer.json()["error"]) == {"code", "details", "correlation_id"}
    return answer.status_code
