"""Whatever goes wrong, at whatever address, looks the same (D2) and carries a correlation id."""

import json

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.architecture.routes import VERBS, view_of, walk
from tests.architecture.table import (
    ALL_STAFF,
    ASCENDA,
    EVERYBODY,
    PROGRAMMES,
    ROUTES,
    address,
    body,
)
from tests.architecture.world import World

pytestmark = pytest.mark.django_db
WALKED = dict(walk())
#: Pages for people, and notices of mail providers; the others answer JSON whatever happens.
PAGES = (
    "payments/carrier/<str:token>",
    "payments/return/",
    "payments/return/<str:token>",
    "pay/<str:token>",
    "subscriptions/end/<str:token>",
    "anymail/<slug:provider>/tracking/",
)
ALL = [where for where in ROUTES if where not in PAGES]
BODIES = [
    (where, verb)
    for where, row in ROUTES.items()
    for verb in row.who
    if verb in ("post", "put", "patch") and row.takes_body
]
LIMITED = [where for where, row in ROUTES.items() if row.limit]
HEADER = "X-Correlation-ID"
ID = "corr-0123456789"


@pytest.fixture(autouse=True)
def _uncounted():
    cache.clear()


def entitled(where, world, verb=""):
    """The header of somebody who may use this route."""
    who = ROUTES[where].who
    mine = who.get(verb) if verb in who else next(iter(who.values()), EVERYBODY)
    if mine == EVERYBODY or "anonymous" in mine:
        return {}
    if mine == PROGRAMMES:
        return world.header("programme")
    return world.header("owner" if mine & ALL_STAFF else "customer")


#: Words of ours that Ascenda's contract has a code for.
THEIRS = {"BAD_REQUEST": "NN1001", "NOT_FOUND": "NN1002", "INTERNAL_ERROR": "NN0001"}


def refused(answer, status, code, where=""):
    assert answer.status_code == status, answer.content[:300]
    assert answer["Content-Type"].startswith("application/json")
    shown = answer.json()
    if where and ROUTES[where].contract == ASCENDA:
        assert set(shown) == {"error"}
        assert set(shown["error"]) == {"code", "message"}
        assert shown["error"]["code"] == THEIRS.get(code, code)
        assert shown["error"]["message"]
        assert answer[HEADER] == ID
        return shown["error"]["message"]
    assert set(shown) == {"success", "message", "error"}
    assert set(shown["error"]) == {"code", "details", "correlation_id"}
    assert (shown["success"], shown["error"]["code"]) == (False, code)
    assert shown["message"]
    assert shown["error"]["correlation_id"] == answer[HEADER] == ID
    return shown["error"]["details"]


def ask(where, verb, world, *, data=None, kind="application/json", url="", **extra):
    text = json.dumps(data) if data is not None else ""
    header = {"HTTP_X_CORRELATION_ID": ID, **entitled(where, world, verb), **extra}
    return APIClient().generic(
        verb.upper(), url or address(where, world), text, content_type=kind, **header
    )


@pytest.mark.parametrize("where", ALL, ids=[where or "/" for where in ALL])
def test_a_verb_that_is_not_offered(where):
    world = World()
    offered = set(ROUTES[where].who)
    for verb in {*VERBS, "options", "trace"} - offered:
        answer = ask(where, verb, world)
        if view_of(WALKED[where]) is None and answer.status_code == 403:
            refused(answer, 403, "FORBIDDEN", where)  # a form's token is missing before the verb is
            continue
        refused(answer, 405, "METHOD_NOT_ALLOWED", where)
        assert {each.strip().lower() for each in answer["Allow"].split(",")} - {"head", "options"} \
            == offered  # fmt: skip


@pytest.mark.parametrize(("where", "verb"), BODIES, ids=[f"{v} {w}" for w, v in BODIES])
def test_a_body_of_ours(where, verb):
    world = World()
    details = refused(
        ask(where, verb, world, data={"surprise": 1, "another one": None}),
        400,
        "BAD_REQUEST",
        where,
    )
    if ROUTES[where].contract == ASCENDA:
        assert details == "surprise: Unknown field.; another one: Unknown field."
    else:
        assert [(each["field"], each["code"]) for each in details] == [
            ("surprise", "unknown"), ("another one", "unknown"),
        ]  # fmt: skip
    for text in ('{"a":', "[1]", '"text"', "12", "\x00", "[" * 50_000):
        answer = APIClient().generic(
            verb.upper(), address(where, world), text, content_type="application/json",
            HTTP_X_CORRELATION_ID=ID, **entitled(where, world, verb),
        )  # fmt: skip
        refused(answer, 400, "BAD_REQUEST", where)


@pytest.mark.parametrize(("where", "verb"), BODIES, ids=[f"{v} {w}" for w, v in BODIES])
def test_a_body_of_another_kind(where, verb):
    form = "application/x-www-form-urlencoded"
    for kind in ("text/plain", form, "application/xml"):
        answer = ask(where, verb, World(), data={"a": 1}, kind=kind)
        if kind == form and ROUTES[where].forms:
            refused(answer, 400, "BAD_REQUEST", where)
            continue
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE", where)


@pytest.mark.parametrize(("where", "verb"), BODIES, ids=[f"{v} {w}" for w, v in BODIES])
def test_a_body_that_is_too_large(where, verb, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    for more in ({}, {"HTTP_IDEMPOTENCY_KEY": "k-1"}):
        answer = ask(where, verb, World(), data={"a": "x" * 2000}, **more)
        refused(answer, 413, "PAYLOAD_TOO_LARGE", where)


@pytest.mark.parametrize("where", LIMITED)
def test_too_many_tries(where):
    world, row = World(), ROUTES[where]
    (verb,) = row.who
    url = f"{address(where, world)}?{row.query}"
    for _ in range(row.limit):
        answer = ask(where, verb, world, data=body(where, world), url=url)
        assert answer.status_code != 429, answer.content
    answer = ask(where, verb, world, data=body(where, world), url=url)
    refused(answer, 429, "RATE_LIMITED", where)
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    "where", [where for where, callback in WALKED.items() if hasattr(view_of(callback), "post")]
)
def test_a_key_that_was_used_for_another_request(where):
    """Every POST that creates or spends keeps its `Idempotency-Key` (D24)."""
    if where not in ROUTES or ROUTES[where].who["post"] == EVERYBODY:
        return  # accounts and tokens: asked again, they do no harm
    world = World()
    url = address(where, world)
    # Ascenda's contract keeps what was done and forgets what was refused.
    second = 400 if ROUTES[where].contract == ASCENDA else 422
    for body_, status in (({"a": 1}, 400), ({"b": 1}, second)):
        answer = ask(where, "post", world, data=body_, url=url, HTTP_IDEMPOTENCY_KEY="key-1")
        assert answer.status_code == status, answer.content
    if second == 422:
        refused(answer, 422, "UNPROCESSABLE")


@pytest.mark.parametrize("token", ["Bearer nonsense", "Bearer ", "Bearer a b", "Basic eDp5"])
def test_a_token_that_is_none(token):
    answer = ask("api/v1/orders", "get", World(), HTTP_AUTHORIZATION=token)
    refused(answer, 401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_right_that_is_missing():
    world = World()
    answer = ask("api/v1/admin/discounts", "post", world, data={}, **world.header("support"))
    refused(answer, 403, "FORBIDDEN")


@pytest.mark.parametrize(
    "path",
    ["nothing", "api/v1/nothing", "api/v1/orders/1/nothing", "api/v2/orders", "%00", "api/v1/",
     "ordersv2", "static/none.css"],
)  # fmt: skip
def test_an_address_where_there_is_nothing(path):
    for verb in ("get", "post"):
        answer = getattr(APIClient(), verb)(f"/{path}", HTTP_X_CORRELATION_ID=ID)
        refused(answer, 404, "NOT_FOUND")


def test_what_nobody_expected(monkeypatch):
    """The database goes away in the middle of a request."""

    def broken(*args, **kwargs):
        raise RuntimeError("secret inside")

    monkeypatch.setattr("django.db.models.query.QuerySet.count", broken)
    client = APIClient(raise_request_exception=False)
    answer = client.get("/api/v1/catalog/brands", HTTP_X_CORRELATION_ID=ID)
    refused(answer, 500, "INTERNAL_ERROR")
    assert "secret" not in answer.content.decode()


def test_a_host_that_is_not_ours():
    refused(APIClient().get("/healthz", HTTP_HOST="evil.example", HTTP_X_CORRELATION_ID=ID),
            400, "BAD_REQUEST")  # fmt: skip


def test_an_answer_in_another_format_than_json():
    answer = ask("api/v1/catalog/brands", "get", World(), HTTP_ACCEPT="text/html")
    refused(answer, 406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("where", ROUTES, ids=[where or "/" for where in ROUTES])
def test_good_answers_carry_the_id_too(where):
    world = World()
    answer = ask(where, "get", world)
    assert answer[HEADER] == ID
    fresh = APIClient().get(address(where, world))[HEADER]
    hostile = APIClient().get(address(where, world), HTTP_X_CORRELATION_ID="a b\n<script>")[HEADER]
    assert len({fresh, hostile, ID}) == 3
