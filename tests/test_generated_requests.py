"""Requests that Schemathesis makes up from the served schema, good ones and bad ones, sent as
nobody, as a customer and as staff: no 5xx, every answer as documented, bad data refused.

The sample is small and always the same; `BDV_API_EXAMPLES=200 ./run test <this file>` asks for
more of each kind.
"""

import os
import re
import uuid

import hypothesis
import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.api.idempotency import HEADER
from tests.architecture.table import ROUTES
from tests.architecture.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]
EXAMPLES = int(os.environ.get("BDV_API_EXAMPLES", "2"))
ROLES = ("anonymous", "customer", "owner")
#: Tokens are ours to send: what a missing or a wrong one gets is told by the matrix.
#: No text of ours may hold a null character, and no JSON Schema can say so readably: not good data.
CONFIG = schemathesis.Config.from_dict(
    {"generation": {"with-security-parameters": False, "allow-x00": False}}
)
SCHEMA = schemathesis.openapi.from_wsgi(
    "/api/schema/?format=json", get_wsgi_application(), config=CONFIG
)
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
CONFORM = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Where well-formed is not enough, and why: no schema can know it. Exactly these, by address.
CODE = "which codes are alive is told to nobody"
MONEY = "the sum of the order; two decimals"
GOODS = "variants, units and sums that there are; no empty list"
EITHER = "one of two fields, or one because of the other"
TIMES = "a day or a moment, where the schema says text"
FILE = "lines in the layout of the provider"
MAY_REFUSE = {
    "POST /api/v1/auth/verify-otp": CODE,
    "POST /api/v1/auth/sign-up": CODE,
    "POST /api/v1/auth/reset-password": CODE,
    "GET /api/v1/discounts/validate": CODE,
    "GET /api/v1/orders": TIMES,
    "POST /api/v1/orders": GOODS,
    "POST /api/v1/payments/initiate": MONEY,
    "POST /api/v1/payments/initiate/{order_key}": MONEY,
    "POST /api/v1/admin/discounts": MONEY,
    "PUT /api/v1/admin/discounts/{discount_id}": MONEY,
    "PATCH /api/v1/admin/discounts/{discount_id}": MONEY,
    "GET /api/v1/admin/orders": TIMES,
    "POST /api/v1/admin/orders/{key}/fulfillment/manual-code": EITHER,
    "POST /api/v1/admin/orders/{key}/fulfillment/manual-codes": GOODS,
    "POST /api/v1/admin/orders/{key}/purchases/{purchase}/close": EITHER,
    "POST /api/v1/admin/ordersv2/{key}/email/send": "templates and states that allow it",
    "POST /api/v1/admin/payments/{payment_id}/refund": GOODS,
    "POST /api/v1/admin/payments/{payment_id}/refunds/{refund_id}/settle": EITHER,
    "POST /api/v1/admin/recovery-runs": EITHER,
    "GET /api/v1/admin/books": TIMES,
    "GET /api/v1/admin/books/stock": TIMES,
    "POST /api/v1/admin/reconciliations": FILE,
    "POST /api/v1/admin/batches": GOODS,
}


@pytest.fixture(autouse=True)
def _nobody_outside(settings):
    settings.PAYSTATION_BASE_URL = settings.BKASH_BASE_URL = "http://127.0.0.1:1"
    settings.ZENDIT_BASE_URL = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _one_connection():
    """The test's transaction outlives each request, as it does with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def real_parts(path, world):
    """The address's parts filled with what is there: `key` of `orders/<str:key>/cancel`."""
    plain = re.compile(r"<(?:\w+:)?(\w+)>")
    for where, row in ROUTES.items():
        if row.at and "/" + plain.sub(r"{\1}", where) == path:
            pairs = zip(where.split("/"), row.at.split("/"), strict=True)
            return {
                plain.fullmatch(name)[1]: value.format_map(world)
                for name, value in pairs
                if plain.fullmatch(name)
            }
    return {}


def test_only_what_there_is_may_refuse():
    assert set(MAY_REFUSE) <= set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_generated_requests(label, role, mode):
    operation, world = OPERATIONS[label], World()
    _ = world.discount, world.voucher, world.variant
    parts = real_parts(operation.path, world) if mode is GenerationMode.POSITIVE else {}
    checks = [*CONFORM]
    if mode is GenerationMode.NEGATIVE:
        checks.append(negative_data_rejection)
    elif label not in MAY_REFUSE:
        checks.append(positive_data_acceptance)
    header = {name[5:].title(): value for name, value in world.header(role).items()}

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(mode, path_parameters=parts or None))
    def ask(case):
        cache.clear()  # limits are told elsewhere
        case.headers.pop("Authorization", None)
        if mode is GenerationMode.POSITIVE and HEADER in case.headers:
            case.headers[HEADER] = str(uuid.uuid4())  # a key used twice is told elsewhere
        response = case.call(headers=header)
        case.validate_response(response, checks=checks, headers=header)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        # An address whose only part takes any text: nothing could be sent wrongly.
        assert mode is GenerationMode.NEGATIVE
