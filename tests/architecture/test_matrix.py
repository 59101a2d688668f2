"""Route x verb x role x owner: each answer is what the table says, for every route there is."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.architecture.routes import VERBS, view_of, walk
from tests.architecture.table import (
    A_PARTNER,
    ASCENDA,
    CUSTOMERS,
    EVERYBODY,
    OWN,
    PROGRAMMES,
    ROUTES,
    address,
    body,
)
from tests.architecture.world import ROLES, STAFF, World

CASES = [(where, verb) for where, row in ROUTES.items() for verb in row.who]
WALKED = dict(walk())


@pytest.fixture(autouse=True)
def _uncounted(settings):
    cache.clear()
    settings.PAYSTATION_BASE_URL = "http://127.0.0.1:1"  # a session is asked for, not opened


def test_every_route_has_a_row_and_every_row_a_route():
    missing = sorted(WALKED.keys() - ROUTES.keys())
    assert missing == [], "say in tests/architecture/table.py who may use these"
    assert sorted(ROUTES.keys() - WALKED.keys()) == [], "these rows are of no route"


def test_every_verb_of_a_view_has_a_row_and_every_row_a_verb():
    for where, callback in WALKED.items():
        if (view := view_of(callback)) is not None:
            offered = {verb for verb in VERBS if hasattr(view, verb)}
            assert offered == set(ROUTES[where].who), where


def allowed(who, role):
    return role in who or who == EVERYBODY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("where", "verb"), CASES, ids=[f"{verb} {where or '/'}" for where, verb in CASES]
)
def test_who_may(where, verb):
    who = ROUTES[where].who[verb]
    for role in ROLES:
        world = World()
        _ = world.discount  # previews need one that is there
        url = f"{address(where, world)}?{ROUTES[where].query}"
        sent = {} if who == EVERYBODY else body(where, world)  # no credentials: 401 is of a token
        answer = asked(url, verb, sent, world.header(role))
        said = f"{role}: {answer.status_code} {answer.content[:200]!r}"
        if allowed(who, role):
            assert answer.status_code not in (401, 403, 404, 405), said
            assert answer.status_code < 500, said
            continue
        if ROUTES[where].contract == ASCENDA:
            assert set(answer.json()) == {"error"}
        else:
            assert answer.json()["success"] is False
        assert answer.status_code == refusal(who, role), said


def refusal(who, role):
    """A stranger, or a token of the other door: 401; no right: 403; another's thing: 404."""
    if who in (PROGRAMMES, A_PARTNER) or role in ("anonymous", "programme"):
        return 401
    if (role in STAFF) == bool(who & CUSTOMERS):
        return 401
    return 404 if who == OWN else 403


def asked(url, verb, sent, header):
    return getattr(APIClient(), verb)(url, sent if verb != "get" else None, format="json", **header)
