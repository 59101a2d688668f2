"""Storefronts of other origins, in a browser: only those named, only the client API."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example.com"
ALLOWED = "Access-Control-Allow-Origin"


def asked(path: str, origin: str = SHOP) -> Any:
    return Client().get(path, headers={"Origin": origin})


@pytest.fixture
def open_to_the_shop(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]


def test_nobody_by_default() -> None:
    assert ALLOWED not in asked("/api/v1/catalog/products")


def test_the_origins_named_and_no_other(open_to_the_shop: None) -> None:
    answer = asked("/api/v1/catalog/products")
    assert answer[ALLOWED] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer
    assert {"Retry-After", "X-Correlation-ID"} <= {
        each.strip() for each in answer["Access-Control-Expose-Headers"].split(",")
    }
    for other in ("https://shop.example.com.evil.test", "http://shop.example.com", "null"):
        assert ALLOWED not in asked("/api/v1/catalog/products", other)


def test_a_refusal_can_be_read_too(open_to_the_shop: None) -> None:
    answer = asked("/api/v1/orders")
    assert (answer.status_code, answer[ALLOWED]) == (401, SHOP)


def test_a_preflight_allows_what_clients_send(open_to_the_shop: None) -> None:
    answer = Client().options(
        "/api/v1/orders",
        headers={
            "Origin": SHOP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        },
    )
    assert (answer.status_code, answer[ALLOWED]) == (200, SHOP)
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type", "idempotency-key"} <= {
        each.strip() for each in answer["Access-Control-Allow-Headers"].split(",")
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/admin/orders",
        "/admin/orders",
        "/admin/login/",
        "/api/v1/payments/bkash/callback",
        "/api/v1/payments/sslcommerz/ipn",
        "/payments/return/",
    ],
)
def test_nothing_but_the_client_api(open_to_the_shop: None, path: str) -> None:
    assert ALLOWED not in asked(path)
