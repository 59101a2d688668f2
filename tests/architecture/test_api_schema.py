"""The API's description is complete: a storefront is built with nothing but `/api/docs/` open.

Each failure says what to add. Examples live in `<app>/examples.py`; `core.api.schema` has the
helpers (`sent`, `example`, `refusal`, `answers`, `in_path`, `paging`), and `core.api.operations`
adds by itself what follows from a view.
"""

import copy
import re
from datetime import datetime
from functools import cache
from urllib.parse import urlparse

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

from core.api.description import TAGS

VERBS = ("get", "post", "put", "patch", "delete")
#: Operations of a foreign contract, with its own error body and its own answers.
PROGRAMMES = "Loyalty programmes"
#: Named by that contract as they are: unix seconds, and points, which are no money.
AS_THE_CONTRACT_HAS_IT = {
    ("TokenAnswer", "expires_at"),
    ("FulfillmentItem", "amount"),
    ("OrderItemRequest", "amount"),
    ("CreatePointsTransferRequest", "amount"),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
formats = FormatChecker(formats=["email"])


@formats.checks("date-time", raises=ValueError)
def is_moment(value):
    """As D25 writes it; Python's own reader checks the numbers."""
    if not isinstance(value, str):
        return True
    return bool(MOMENT.fullmatch(value) and datetime.fromisoformat(value))


@formats.checks("uri", raises=ValueError)
def is_uri(value):
    return not isinstance(value, str) or bool(urlparse(value).scheme)


@cache
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def closed():
    """The same, where an answer may hold no field that is not described."""
    made = copy.deepcopy({"components": document()["components"]})
    for component in made["components"]["schemas"].values():
        if "properties" in component:
            component.setdefault("additionalProperties", False)
    return made


def problems_of(value, schema):
    validator = Draft202012Validator({**closed(), **schema}, format_checker=formats)
    for error in validator.iter_errors(value):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def operations():
    for path, item in document()["paths"].items():
        yield from ((path, verb, item[verb]) for verb in VERBS if verb in item)


FOUND = [found for found in operations() if found[0].startswith("/api/v1/")]
EACH = pytest.mark.parametrize(
    ("path", "verb", "operation"), FOUND, ids=[f"{verb} {path}" for path, verb, _ in FOUND]
)


def media_of(part):
    return part.get("content", {}).get("application/json", {})


def header_names(operation):
    return {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}


@EACH
def test_it_says_what_it_does_who_may_and_what_it_changes(path, verb, operation):
    explained = {tag["name"]: tag["description"] for tag in TAGS}
    assert operation.get("summary"), "add summary= to @extend_schema"
    assert len(operation.get("description", "")) >= 40, (
        "add description= to @extend_schema: what it does, who may, what it changes"
    )
    assert len(operation["tags"]) == 1, "add tags=[one] to @extend_schema"
    assert explained.get(operation["tags"][0]), "explain the tag in core/api/description.py, TAGS"
    assert "security" in operation, "set authentication_classes"
    assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"]), "add operation_id="


@EACH
def test_every_parameter_is_described(path, verb, operation):
    for parameter in operation.get("parameters", ()):
        assert parameter.get("description"), (
            f"describe {parameter['name']}: in_path(), paging() or OpenApiParameter(description=)"
        )


@EACH
def test_every_error_that_can_occur_is_described(path, verb, operation):
    needed = set()
    schemes = {name for each in operation["security"] for name in each}
    takes = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    if schemes:
        needed.add("401")
    if "bearer-admin" in schemes:
        needed.add("403")
    if "{" in path:
        needed.add("404")
    if takes:
        needed.add("400")
    if "requestBody" in operation:
        needed |= {"400", "413", "415"}
    if verb == "post" and schemes:
        assert "Idempotency-Key" in header_names(operation), (
            "decorate post() with @idempotent: a POST of a signed-in caller creates or spends"
        )
        needed |= {"400", "409", "422"}
    assert needed <= set(operation["responses"]), "name them in answers(...)"


@EACH
def test_its_refusals_have_the_one_shape(path, verb, operation):
    refused = {code: found for code, found in operation["responses"].items() if code >= "400"}
    for code, response in refused.items():
        shape = "ProgrammeError" if operation["tags"] == [PROGRAMMES] else "ErrorAnswer"
        assert media_of(response)["schema"] == {"$ref": f"#/components/schemas/{shape}"}
        assert response["description"], f"say in core.api.schema.WHY what {code} means"
        assert media_of(response).get("examples"), f"show a refusal({code}, ...)"
    if "429" in refused:
        assert "Retry-After" in refused["429"]["headers"]


@EACH
def test_its_examples_are_there_and_fit(path, verb, operation):
    parts = {code: response for code, response in operation["responses"].items() if code != "304"}
    if "requestBody" in operation:
        parts["request"] = operation["requestBody"]
    for name, part in parts.items():
        media = media_of(part)
        assert media.get("examples"), f"add examples=[...] for {name} to @extend_schema"
        for title, shown in media["examples"].items():
            assert list(problems_of(shown["value"], media["schema"])) == [], f"{name}: {title}"


@EACH
def test_good_answers_come_in_the_envelope(path, verb, operation):
    good = [response for code, response in operation["responses"].items() if code < "300"]
    assert good
    for each in good:
        ref = media_of(each)["schema"]["$ref"].rpartition("/")[2]
        envelope = document()["components"]["schemas"][ref]
        if operation["tags"] == [PROGRAMMES]:
            token = path == "/api/v1/oauth/token"
            assert (
                "access_token" in envelope["required"]
                if token
                else (set(envelope["required"]) in ({"data"}, {"data", "meta"}))
            )
            continue
        assert set(envelope["required"]) == {"success", "message", "data"}, "use answers(...)"


def properties():
    for name, component in document()["components"]["schemas"].items():
        for key, schema in component.get("properties", {}).items():
            yield name, key, schema


def test_every_closed_set_of_words_has_a_name_of_its_own():
    named = document()["components"]["schemas"]
    numbered = [name for name in named if re.search(r"Enum$", name) and name != "NullEnum"]
    assert numbered == [], "name it in core/api/description.py, ENUMS"
    loose = [f"{name}.{key}" for name, key, schema in properties() if "enum" in schema]
    assert loose == [], "name it in core/api/description.py, ENUMS"


def test_times_are_date_times_and_money_is_a_number():
    money = re.compile(r"(amount|price|total|subtotal|value)$")
    for name, key, schema in properties():
        if (name, key) in AS_THE_CONTRACT_HAS_IT:
            assert schema["type"] == "integer" or "integer" in schema["type"]
            continue
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if re.search(r"(_at|At)$", key):
            assert schema.get("format") == "date-time", f"{name}.{key}: use DateTimeField"
        if money.search(key) and not key.startswith("total_") and key != "total":
            assert "number" in types, f"{name}.{key}: use FloatField"
    assert document()["components"]["schemas"]["Order"]["properties"]["total_amount"]["type"] == (
        "number"
    )


def test_nothing_of_our_insides_is_told():
    text = str(document())
    assert re.findall(r"\(?\bD\d{1,2}\b\)?", text) == [], "decisions have numbers for us only"
    assert re.findall(r"\bI\d{1,2}\b", text) == []


def test_every_tag_is_used():
    used = {tag for _, _, operation in FOUND for tag in operation["tags"]}
    assert used == {tag["name"] for tag in TAGS}


def test_operation_names_are_given_once():
    names = [operation["operationId"] for _, _, operation in FOUND]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("wrong", [
    {"success": True, "message": ""},
    {"success": True, "message": "", "data": {"id": "42"}},
    {"success": True, "message": "", "data": {"created_at": "2026-04-27 14:22"}},
])  # fmt: skip
def test_an_example_that_does_not_fit_is_found(wrong):
    schema = {"$ref": "#/components/schemas/OrderDetailAnswer"}
    assert list(problems_of(wrong, schema)) != []


def test_a_field_nobody_described_is_found():
    media = media_of(document()["paths"]["/api/v1/orders/{key}"]["get"]["responses"]["200"])
    good = next(iter(media["examples"].values()))["value"]
    assert list(problems_of(good, media["schema"])) == []
    good = {**good, "data": {**good["data"], "secret": 1}}
    assert list(problems_of(good, media["schema"])) != []
