"""A client generated from the schema buys, reads and repairs: nobody had to look at our code.

Its models refuse what is missing or of another type, and keep what nobody described apart;
so every answer it reads is compared with the schema field by field.
"""

import contextlib
import importlib
import io
import re
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from bdvoucher.local.checks import SCHEMA
from bdvoucher.local.client import CUSTOMER, OPERATOR, SEED_ORDER, ShopClient
from bdvoucher.local.stack import Shop

pytest.importorskip("openapi_python_client", reason="BDV_DEV=1 ./run test installs it")
pytestmark = pytest.mark.journey

PACKAGE = "generated_shop_client"
#: Objects whose keys are the product's or the partner's own.
FREE = ("FulfillmentInput", "PartnerResponse")
PLAYER = {"player_id": "123456789"}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, made without a single warning."""
    from openapi_python_client import generate
    from openapi_python_client.config import Config, ConfigFile, MetaType

    folder = tmp_path_factory.mktemp("generated")
    config = Config.from_sources(
        ConfigFile(literal_enums=True, post_hooks=[]),
        MetaType.NONE,
        document_source=SCHEMA,
        file_encoding="utf-8",
        overwrite=False,
        output_path=folder / PACKAGE,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        warnings = generate(config=config)
    assert [f"{each.header}: {each.detail}" for each in warnings] == []
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class Caller:
    """The generated operations by their names, on behalf of somebody."""

    def __init__(self, folder: Path, url: str, token: str = "") -> None:
        self.folder, self.url, self.token = folder, url, token

    def client(self) -> Any:
        made = importlib.import_module(f"{PACKAGE}.client")
        if self.token:
            return made.AuthenticatedClient(base_url=self.url, token=self.token)
        return made.Client(base_url=self.url)

    def with_token(self, token: str) -> "Caller":
        return Caller(self.folder, self.url, token)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        (found,) = self.folder.glob(f"api/*/{operation}.py")
        module = importlib.import_module(f"{PACKAGE}.api.{found.parent.name}.{operation}")

        def call(*path: Any, expect: int = 200, body: Any = None, **query: Any) -> Any:
            if body is not None:
                query["body"] = self.body_of(module, body)
            with self.client() as client:
                answer = module.sync_detailed(*path, client=client, **query)
            assert answer.status_code == HTTPStatus(expect), answer.content
            assert answer.parsed is not None
            assert list(undescribed(answer.parsed)) == []
            return answer.parsed if expect >= 400 else answer.parsed.data

        return call

    @staticmethod
    def body_of(module: ModuleType, body: Any) -> Any:
        (kind,) = {
            value
            for name, value in vars(module).items()
            if re.fullmatch(r"\w+Request", name) and isinstance(value, type)
        }
        return kind.from_dict(body)


def undescribed(value: Any, where: str = "") -> Iterator[str]:
    """Fields of an answer that the schema does not know."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from undescribed(each, f"{where}.{place}")
    elif attrs.has(type(value)):
        free = type(value).__name__.removesuffix("Type0").endswith(FREE)
        for name, inner in attrs.asdict(value, recurse=False).items():
            if name == "additional_properties":
                yield from (f"{where}.{extra}" for extra in inner if not free)
            else:
                yield from undescribed(inner, f"{where}.{name}")


@pytest.fixture
def anyone(generated: Path, shop: Shop) -> Caller:
    return Caller(generated, shop.url)


@pytest.fixture
def customer(anyone: Caller) -> Caller:
    body = {"msisdn": CUSTOMER.name, "password": CUSTOMER.password}
    return anyone.with_token(anyone.sign_in(body=body).access_token)


@pytest.fixture
def operator(anyone: Caller) -> Caller:
    body = {"email": OPERATOR.name, "password": OPERATOR.password}
    return anyone.with_token(anyone.admin_login(body=body).access_token)


def until(read: Callable[[], Any], status: str) -> Any:
    return ShopClient.until(read, lambda found: found.status == status, f"to be {status}")


def test_from_the_catalogue_to_the_code(
    anyone: Caller, customer: Caller, client: ShopClient
) -> None:
    assert [each.slug for each in anyone.list_payment_channels() if each.enabled]
    assert anyone.catalog_brands().total > 0
    assert anyone.catalog_categories().total > 0
    products = anyone.catalog_products(q="diamonds", sort="price_asc", in_stock=True)
    product = anyone.catalog_product(products.items[0].slug)
    variant = product.variants[0]
    assert variant.stock.in_stock
    assert customer.fulfillment_fields(variant.variant_id).fields[0].name == "player_id"
    assert anyone.validate_discount(code="save20", subtotal=500.0).final_total == 400

    placed = customer.create_order(body=dict(SEED_ORDER), expect=201, idempotency_key="a-name")
    again = customer.create_order(body=dict(SEED_ORDER), expect=201, idempotency_key="a-name")
    assert (again.id, placed.status, placed.total_amount) == (placed.id, "INITIATED", 500)

    client.pay(placed.payment.payment_gateway_url)
    status = until(lambda: customer.get_payment_status(placed.payment.transaction_id), "SUCCEEDED")
    assert status.final
    order = until(lambda: customer.get_order(placed.order_number), "SUCCEEDED")
    assert len(order.voucher_codes) == 3
    assert order.email_sent_at >= order.items[0].fulfilled_at >= order.created_at
    assert customer.list_orders(limit=1, status=["SUCCEEDED"]).items[0].id == order.id

    vouchers = customer.list_vouchers(search=order.voucher_codes[0], sort="newest")
    assert [each.code for each in vouchers.items] == order.voucher_codes[:1]
    mine = vouchers.items[0].id
    assert customer.get_voucher(mine).status == "sold"
    assert customer.mark_voucher_used(mine).status == "used"
    assert customer.mark_voucher_used(mine, expect=409).error.code == "CONFLICT"


def test_pattern_b_a_second_try_and_a_cancelled_order(customer: Caller, client: ShopClient) -> None:
    body = {**SEED_ORDER, "init_payment": False, "discount_code": "FLAT50"}
    placed = customer.create_order(body=body, expect=201)
    assert (placed.payment, placed.discount_amount) == (None, 50)
    wrong = customer.initiate_payment_of_order(str(placed.id), body={"amount": 1}, expect=400)
    assert [each.field for each in wrong.error.details] == ["amount"]
    session = customer.initiate_payment_of_order(str(placed.id), body={"method": "paystation"})
    client.pay(session.payment_gateway_url, "fail")
    until(lambda: customer.get_order(str(placed.id)), "FAILED")

    again = customer.initiate_payment(body={"orderId": placed.order_number})
    assert again.transaction_id.endswith("-2")
    assert customer.cancel_order(placed.order_number).status == "CANCELLED"
    assert customer.cancel_order(placed.order_number, expect=409).error.code == "CONFLICT"


def test_an_operator_repairs(customer: Caller, operator: Caller, client: ShopClient) -> None:
    client.fault("zendit", "purchase", "out_of_stock")
    items = [{"variant_id": 22402, "quantity": 2, "fulfillment_input": PLAYER}]
    placed = customer.create_order(body={**SEED_ORDER, "items": items}, expect=201)
    client.pay(placed.payment.payment_gateway_url)
    until(lambda: customer.get_order(str(placed.id)), "NEEDS_ATTENTION")
    key = str(placed.id)

    stuck = operator.admin_get_order(key)
    (item,) = stuck.items
    assert (item.owed, stuck.alerts[0].type_) == (2, "fulfillment_failed")
    assert operator.admin_resend_email(key, body={}, expect=409).error.code == "CONFLICT"
    name = str(time.time_ns())
    codes = [{"code": f"GEN-{name}-{unit}", "expiresAt": "2031-01-01T00:00:00.000Z"}
             for unit in range(2)]  # fmt: skip
    body = {"orderItemId": item.order_item_id, "codes": codes, "notes": "from the supplier"}
    done = ShopClient.until(
        lambda: _entered(operator, key, body), bool, "the automatic try to make way"
    )
    assert (done.status, done.email_sent) == ("DISPATCHED", True)
    assert operator.admin_resend_email(key, body={"notes": "asked for"}).status == "SUCCESS"
    kinds = {each.type_ for each in operator.admin_list_attempts(key).items}
    assert kinds >= {"AUTO", "MANUAL_CODE_INPUT", "RESEND_EMAIL"}
    assert customer.get_order(key).status == "SUCCEEDED"


def _entered(operator: Caller, key: str, body: Any) -> Any:
    """None while an automatic attempt is at it (409)."""
    try:
        return operator.admin_manual_code(key, body=body)
    except AssertionError as exc:
        if "is working on item" not in str(exc):
            raise
        return None


def test_an_account_from_its_number_to_signing_out(anyone: Caller, client: ShopClient) -> None:
    number = f"88019{time.time_ns() % 10**8:08}"
    assert anyone.user_exist(body={"msisdn": number}).exists is False
    assert anyone.send_otp(body={"msisdn": number}).expires_in == 300
    (text,) = client.mails(number)
    otp = re.search(r"\d{6}", text["text"]).group()
    proof = anyone.verify_otp(body={"msisdn": number, "otp": otp}).verification_token
    body = {"verificationToken": proof, "password": f"a-long-one-{otp}", "language": "bn"}
    session = anyone.sign_up(body=body, expect=201)
    me = anyone.with_token(session.access_token)
    assert (me.profile_get().msisdn, me.profile_get().language) == (number, "bn")
    assert me.profile_change(body={"name": "Rahim Uddin"}).name == "Rahim Uddin"
    renewed = anyone.refresh_token(body={"refreshToken": session.refresh_token})
    assert anyone.sign_out(body={"refreshToken": renewed.refresh_token}) is None


def test_discount_codes_are_kept(anyone: Caller) -> None:
    body = {"email": "owner@bdvoucher.com", "password": "owner-demo"}
    owner = anyone.with_token(anyone.admin_login(body=body).access_token)
    code = f"gen{time.time_ns()}"
    body = {"code": code, "discount_type": "flat", "discount_value": 12.5}
    made = owner.admin_create_discount(body=body, expect=201)
    assert (made.code, made.discount_value, made.ends_at) == (code.upper(), 12.5, None)
    assert owner.admin_create_discount(body=body, expect=409).error.code == "CONFLICT"
    ends = "2031-01-01T00:00:00.000Z"
    assert owner.admin_change_discount(made.id, body={"ends_at": ends}).ends_at.year == 2031
    assert owner.admin_replace_discount(made.id, body=body).discount_type == "flat"
    assert owner.admin_list_discounts(limit=1).items[0].id == made.id
    assert owner.admin_list_discount_orders(made.id).total == 0
    assert owner.admin_delete_discount(made.id).code == code.upper()
    assert owner.admin_get_discount(made.id, expect=404).error.code == "NOT_FOUND"
    login = {"email": "support@bdvoucher.com", "password": "support-demo"}
    support = anyone.with_token(anyone.admin_login(body=login).access_token)
    assert support.admin_create_discount(body=body, expect=403).error.code == "FORBIDDEN"


def test_refusals_are_read_too(anyone: Caller, customer: Caller, operator: Caller) -> None:
    body = {**SEED_ORDER, "items": [{"variant_id": 22402, "quantity": 1}]}
    refused = customer.create_order(body=body, expect=400)
    assert refused.error.details[0].field == "items.0.fulfillment_input.player_id"
    assert customer.get_order("10000000", expect=404).error.code == "NOT_FOUND"
    assert operator.get_order("10000000", expect=401).error.code == "UNAUTHORIZED"
    assert customer.admin_get_order("1", expect=401).error.code == "UNAUTHORIZED"
    wrong = {"msisdn": CUSTOMER.name, "password": "not-this-one"}
    assert anyone.sign_in(body=wrong, expect=401).error.code == "UNAUTHORIZED"
