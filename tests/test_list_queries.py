"""What may stand in the query of a list: each parameter of each list, empty, twice, huge, negative
and strange. A value that can't be meant is a 400 that names it; nothing is silently ignored."""

from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.architecture.world import World

pytestmark = pytest.mark.django_db

NUMBERS: Final = ("", " ", "-1", "1.5", "x", "9" * 30, "9" * 5000, "1" + chr(0))
AMOUNTS: Final = ("", " ", "-1", "1e99", "x", "NaN", "Infinity", "9" * 5000)
CHOICES: Final = ("", " ", "-1", "x", "9" * 5000, "NEWEST")
TIMES: Final = ("", " ", "-1", "x", "2026-13-40", "9" * 5000)
PAGES: Final = {"page": NUMBERS, "limit": (*NUMBERS, "0", "101")}
LONG: Final = ("x" * 5000, "a" + chr(0))

#: Address -> who asks -> parameter -> what is refused.
LISTS: Final[dict[str, tuple[str, dict[str, tuple[str, ...]]]]] = {
    "catalog/products": (
        "anonymous",
        PAGES
        | {"min_price": AMOUNTS, "max_price": AMOUNTS, "in_stock": CHOICES, "sort": CHOICES}
        | {"category": LONG, "brand": LONG, "tag": LONG, "q": LONG},
    ),
    "catalog/brands": ("anonymous", PAGES),
    "catalog/categories": ("anonymous", PAGES),
    "discounts/validate": ("anonymous", {"subtotal": AMOUNTS, "code": ("", " ", "a" + chr(0))}),
    "orders": (
        "customer",
        PAGES | {"status": CHOICES, "created_from": TIMES, "created_to": TIMES},
    ),
    "vouchers": (
        "customer",
        PAGES
        | dict.fromkeys(("categoryId", "brandId", "partnerId", "paymentChannelId"), NUMBERS)
        | {"sort": CHOICES, "search": LONG},
    ),
    "admin/orders": (
        "owner",
        PAGES
        | {"after": NUMBERS, "tab": CHOICES, "status": CHOICES, "from": TIMES, "to": TIMES}
        | dict.fromkeys(("search", "payment_method", "partner", "cause"), LONG),
    ),
    "admin/alerts": ("owner", PAGES | {"state": CHOICES, "type": CHOICES}),
    "admin/discounts": ("owner", PAGES),
    "admin/recovery-runs": ("owner", PAGES),
    "admin/batches": ("owner", PAGES),
    "admin/books": ("owner", {"from": TIMES, "to": TIMES, "by": CHOICES}),
    "admin/books/stock": ("owner", {"from": TIMES, "to": TIMES}),
    "admin/reconciliations": ("owner", PAGES),
    "admin/webhook-deliveries": (
        "owner",
        PAGES | {"status": CHOICES, "type": CHOICES, "endpoint": (*NUMBERS, "0"), "subject": LONG},
    ),
}
#: Loyalty programmes have a contract of their own, with codes of their own.
PROGRAMMES: Final = ("/api/v1/fulfillment-orders", "/api/v1/gift-cards", "/api/v1/loyalty_programs")
#: Sent along where the list asks for it.
ALONG: Final[dict[str, dict[str, str]]] = {
    "discounts/validate": {"subtotal": "500", "code": "SAVE20"}
}


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    cache.clear()


def refused(world: World, address: str, role: str, query: Any) -> Any:
    answer = APIClient().get(f"/api/v1/{address}?{urlencode(query)}", **world.header(role))
    body = answer.json()
    assert (answer.status_code, body["success"]) == (400, False), (query, body)
    return [detail["field"] for detail in body["error"]["details"]]


@pytest.mark.parametrize(
    ("address", "name"), [(where, name) for where, (_, rules) in LISTS.items() for name in rules]
)
def test_what_can_not_be_meant_is_refused_by_name(address: str, name: str) -> None:
    world, (role, rules) = World(), LISTS[address]
    along = ALONG.get(address, {})
    for value in rules[name]:
        assert refused(world, address, role, along | {name: value}) == [name]
    twice = [*(pair for pair in along.items() if pair[0] != name), (name, "1"), (name, "1")]
    assert refused(world, address, role, twice) == [name]


def test_every_list_with_a_query_is_here() -> None:
    """A new list, or a new parameter of one, is told here or the table is a lie."""
    from tests.test_generated_requests import OPERATIONS

    told = {f"/api/v1/{where}": set(rules) for where, (_, rules) in LISTS.items()}
    for operation in OPERATIONS.values():
        names = {each.name for each in operation.query}
        ours = "{" not in operation.path and not operation.path.startswith(PROGRAMMES)
        if operation.method.upper() == "GET" and names and ours:
            assert told.get(operation.path, set()) >= names - {"order"}, operation.path
