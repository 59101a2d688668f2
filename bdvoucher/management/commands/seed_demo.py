"""`manage.py seed_demo`: the shop an evaluator finds; every run leaves the same one."""

import json
import secrets
import string
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.groups import FINANCE, OPERATOR, OWNER, SUPPORT
from accounts.models import User
from catalog.models import Brand, Category, Partner, PartnerSource, Product, Tag, Variant
from catalog.states import FulfillmentType, ProductStatus
from loyalty.models import LoyaltyClient, LoyaltyProgram, MembershipRule
from loyalty.services import new_secret
from loyalty.states import ItemType, RuleKind, Scope
from orders.models import DiscountCode, DiscountType
from vouchers.ciphers import Secret
from vouchers.pool import NewCode
from vouchers.selectors import available_by_variant
from vouchers.services import import_batch
from webhooks.models import Endpoint
from webhooks.services import first_secret
from webhooks.states import TYPES_OF, Audience

#: A demo password must never get into a real shop.
ALLOWED_SETTINGS: Final = ("local", "test")
CUSTOMER: Final = ("8801712345678", "customer-demo", "Rahim Uddin", "customer@example.com")
STAFF: Final = (  # e-mail, password, name, group
    ("ops@bdvoucher.com", "operator-demo", "Olivia Operator", OPERATOR),
    ("support@bdvoucher.com", "support-demo", "Sumaiya Support", SUPPORT),
    ("owner@bdvoucher.com", "owner-demo", "Omar Owner", OWNER),
    ("finance@bdvoucher.com", "finance-demo", "Farhana Finance", FINANCE),
)
#: Client id and secret of a loyalty programme's system.
PROGRAMME: Final = ("bdv_demo_bank", "bank-demo-secret")
#: As `simulators/receiver` knows it.
RECEIVER_SECRET: Final = "whsec_demo-receiver"  # noqa: S105 - public: of the demo alone

BRANDS: Final = (
    (1, "Garena", "garena"),
    (2, "Steam", "steam"),
    (3, "Netflix", "netflix"),
    (4, "Google Play", "google-play"),
    (5, "Amazon", "amazon"),
)
CATEGORIES: Final = (
    (1, "Game top-ups", "game-top-ups"),
    (2, "Gift cards", "gift-cards"),
    (3, "Streaming", "streaming"),
)
TAGS: Final = ((1, "New", "new"), (2, "Popular", "popular"), (3, "Instant", "instant"))

PLAYER: Final = (
    {"name": "player_id", "label": "Free Fire Player ID", "type": "text", "required": True},
    {"name": "zone_id", "label": "Zone ID", "type": "text", "required": False},
)
EMAIL: Final = ({"name": "email", "label": "E-mail", "type": "text", "required": False},)
PRODUCTS: Final = (  # pk, name, slug, brand, categories, tags, fields, description, redeem
    (101, "Free Fire Diamonds", "free-fire-diamonds", 1, [1], [2, 3], PLAYER,
     "Diamonds, credited to the player you name.",
     "The diamonds are added to the player by themselves; the code is your receipt."),
    (102, "Steam Wallet", "steam-wallet", 2, [1, 2], [2, 3], EMAIL,
     "A wallet code for any Steam account of the region.",
     "Steam > Account details > Add funds > Redeem a Steam Wallet code."),
    (103, "Netflix Gift Card", "netflix-gift-card", 3, [2, 3], [1], EMAIL,
     "Pay for any plan without a card.", "Open netflix.com/redeem and enter the code."),
    (104, "Google Play Gift Card", "google-play-gift-card", 4, [1, 2], [2], EMAIL,
     "Apps, games and more on Google Play.", "Google Play > Profile > Payments > Redeem code."),
    (105, "Amazon Gift Card", "amazon-gift-card", 5, [2], [1], EMAIL,
     "Balance for your Amazon account.", "Amazon > Your account > Gift cards > Redeem."),
)  # fmt: skip
POOL, API = FulfillmentType.PRELOADED, FulfillmentType.API


class Goods(NamedTuple):
    """A variant: bought from Zendit's `offer` or from `reloadly`, else from a pool of `codes`."""

    pk: int
    product: int
    name: str
    price: str
    threshold: int | None = None
    offer: str = ""
    cap: int | None = None
    codes: int = 0
    prefix: str = ""
    reloadly: int = 0
    """Reloadly's productId: the second source after `offer`, or the only one."""
    face: str = ""
    """Face value of the Reloadly product, in its own currency."""


VARIANTS: Final = (
    Goods(22402, 101, "100 Diamonds", "100", offer="FF_100_DIAMONDS"),
    Goods(22403, 101, "310 Diamonds", "290", offer="FF_310_DIAMONDS"),
    Goods(22405, 102, "USD 5 Steam Wallet", "300", threshold=5, codes=200, prefix="STEAM"),
    Goods(22406, 102, "USD 10 Steam Wallet", "1100", threshold=5, codes=60, prefix="STEAM"),
    Goods(22407, 103, "BDT 800 Netflix", "850", offer="NETFLIX_800", cap=25, threshold=5,
          reloadly=18, face="800"),
    Goods(22408, 104, "USD 10 Google Play", "1250", threshold=5, codes=3, prefix="GPLAY"),
    Goods(22409, 105, "USD 25 Amazon", "3100", threshold=5),
    Goods(22410, 105, "USD 10 Amazon", "1250", reloadly=5, face="10"),
)  # fmt: skip
FEW: Final = 50
"""A large pool is filled up again below this many codes."""
SOURCES_FROM: Final = 1000
SECOND_SOURCES_FROM: Final = 1100


class Command(BaseCommand):
    help = "Fill the database with the demo shop. Safe to repeat; refuses a production shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--summary",
            action="store_true",
            help="seed nothing, print who may sign in as JSON",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        refuse_real_shop()
        if options["summary"]:
            self.stdout.write(json.dumps(who_may_sign_in(), indent=2))
            return
        with transaction.atomic():
            seed_people()
            seed_catalogue()
            seed_discounts()
            seed_programmes()
            seed_endpoint("shop", Audience.SHOP)
            fix_sequences()
        self.stdout.write("\n".join(who_may_sign_in()["lines"]))


def refuse_real_shop() -> None:
    layer = settings.SETTINGS_MODULE.rpartition(".")[2]
    if layer not in ALLOWED_SETTINGS:
        raise CommandError(
            f"seed_demo makes accounts with known passwords and runs with the settings "
            f"{' or '.join(ALLOWED_SETTINGS)} only, not with {settings.SETTINGS_MODULE}."
        )


def seed_people() -> None:
    msisdn, password, name, email = CUSTOMER
    customer = User.objects.filter(msisdn=msisdn).first() or User(msisdn=msisdn)
    _person(customer, password, name=name, email=email, is_staff=False, is_superuser=False)
    for email, password, name, group in STAFF:
        user = User.objects.filter(is_staff=True, email__iexact=email).first() or User(email=email)
        _person(user, password, name=name, is_staff=True, is_superuser=group == OWNER)
        user.groups.set([Group.objects.get_or_create(name=group)[0]])


def _person(user: User, password: str, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(user, name, value)
    user.is_active = True
    # A hash that fits stays: a new one would end the sessions that are open.
    if not (user.password and user.check_password(password)):
        user.set_password(password)
    user.save()


def seed_catalogue() -> None:
    for model, rows in ((Brand, BRANDS), (Category, CATEGORIES), (Tag, TAGS)):
        for pk, name, slug in rows:
            model.objects.update_or_create(pk=pk, defaults={"name": name, "slug": slug})
    Brand.objects.filter(pk__in=[row[0] for row in BRANDS]).update(is_active=True)
    zendit, reloadly = (
        Partner.objects.update_or_create(slug=slug, defaults={"name": name, "is_active": True})[0]
        for slug, name in (("zendit", "Zendit"), ("reloadly", "Reloadly"))
    )
    for pk, name, slug, brand, categories, tags, fields, description, redeem in PRODUCTS:
        product, _ = Product.objects.update_or_create(
            pk=pk,
            defaults={
                "name": name,
                "slug": slug,
                "brand_id": brand,
                "status": ProductStatus.ACTIVE,
                "short_description": description,
                "description": description,
                "redeem_instructions": redeem,
                "fulfillment_config": {"fields": list(fields)},
            },
        )
        product.categories.set(categories)
        product.tags.set(tags)
    for place, goods in enumerate(VARIANTS):
        variant = _variant(goods)
        if goods.offer or not goods.reloadly:
            _first_source(zendit, SOURCES_FROM + place, goods, variant)
        if goods.reloadly:
            _reloadly_source(reloadly, SECOND_SOURCES_FROM + place, goods, variant)
        _fill_pool(goods, variant)


def _variant(goods: Goods) -> Variant:
    variant, _ = Variant.objects.update_or_create(
        pk=goods.pk,
        defaults={
            "product_id": goods.product,
            "name": goods.name,
            "price": Decimal(goods.price),
            "low_stock_threshold": goods.threshold,
            "is_active": True,
        },
    )
    return variant


def _first_source(partner: Partner, source_pk: int, goods: Goods, variant: Variant) -> None:
    PartnerSource.objects.update_or_create(
        pk=source_pk,
        defaults={
            "variant": variant,
            "partner": partner if goods.offer else None,
            "fulfillment_type": API if goods.offer else POOL,
            "external_offer_id": goods.offer,
            "priority": 1,
            "stock_cap": goods.cap,
            "is_active": True,
        },
    )


def _reloadly_source(partner: Partner, source_pk: int, goods: Goods, variant: Variant) -> None:
    """Asked after Zendit has refused, where the variant has an offer there."""
    PartnerSource.objects.update_or_create(
        pk=source_pk,
        defaults={
            "variant": variant,
            "partner": partner,
            "fulfillment_type": API,
            "external_offer_id": str(goods.reloadly),
            "send_value": Decimal(goods.face),
            "priority": 2 if goods.offer else 1,
            "stock_cap": goods.cap,
            "is_active": True,
        },
    )


def _fill_pool(goods: Goods, variant: Variant) -> None:
    there = available_by_variant([goods.pk], now=timezone.now()).get(goods.pk, 0)
    if there < min(goods.codes, FEW):
        fresh = [NewCode(Secret(code=_code(goods.prefix))) for _ in range(goods.codes - there)]
        import_batch(variant, fresh, supplier="Demo supplier")


def _code(prefix: str) -> str:
    letters = string.ascii_uppercase + string.digits
    groups = ("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))
    return "-".join([prefix, *groups])


def seed_discounts() -> None:
    codes = (("SAVE20", DiscountType.PERCENTAGE, 20), ("FLAT50", DiscountType.FLAT, 50))
    for code, kind, value in codes:
        unit = "%" if kind == DiscountType.PERCENTAGE else " BDT"
        DiscountCode.objects.update_or_create(
            code=code,
            defaults={
                "discount_type": kind,
                "discount_value": value,
                "description": f"{value}{unit} off",
                "is_active": True,
            },
        )


def seed_programmes() -> None:
    """A bank's programme with its system, and an airline's that takes its points."""
    bank, _ = LoyaltyProgram.objects.update_or_create(
        code="city-rewards", defaults={"name": "City Rewards", "item_types": ItemType.values}
    )
    airline, _ = LoyaltyProgram.objects.update_or_create(
        code="bengal-miles",
        defaults={
            "name": "Bengal Miles",
            "points_name": "miles",
            "partner": "points_bridge",
            "partner_program_code": "BENGAL",
            "least_amount": 100,
        },
    )
    rule = {"pattern": "BG[0-9]{7}", "message": "A membership id is BG and seven digits."}
    MembershipRule.objects.update_or_create(program=airline, kind=RuleKind.PATTERN, defaults=rule)
    client_id, secret = PROGRAMME
    client, _ = LoyaltyClient.objects.update_or_create(
        client_id=client_id,
        defaults={"program": bank, "name": "City Bank", "scopes": Scope.values, "is_active": True},
    )
    if not client.secrets.exists():
        new_secret(client, now=timezone.now(), value=secret)
    client.webhook = seed_endpoint("bank", Audience.PROGRAMME)
    client.save(update_fields=["webhook"])


def seed_endpoint(name: str, audience: Audience) -> Endpoint | None:
    """A receiver that is told what happens; it stands with the other simulators, if any do."""
    simulators, sign, _ = settings.POINTS_BRIDGE_BASE_URL.rpartition("/points")
    if not (sign and settings.WEBHOOK_ALLOW_LOOPBACK):
        return None
    row = Endpoint.objects.filter(name=f"Demo receiver ({name})").first()
    if row is None:
        row = Endpoint(name=f"Demo receiver ({name})", audience=audience)
        first_secret(row, value=RECEIVER_SECRET)
    row.url = f"{simulators}/receiver/{name}"
    row.event_types = sorted(TYPES_OF[audience])
    row.save()
    return row


def fix_sequences() -> None:
    """The rows with given keys have not moved the sequences; the next new row must not hit one."""
    models = (Brand, Category, Tag, Product, Variant, PartnerSource)
    with connection.cursor() as cursor:
        for model in models:
            last = model.objects.aggregate(last=Max("pk"))["last"]
            # Never backwards: another session may have drawn numbers already.
            cursor.execute(
                "SELECT setval(seq, greatest(%s, nextval(seq))) "
                "FROM pg_get_serial_sequence(%s, 'id') AS seq",
                [last, model._meta.db_table],  # noqa: SLF001 - Django documents it
            )


def who_may_sign_in() -> dict[str, Any]:
    """For programs; `lines` is the same for people."""
    admin = f"{settings.PUBLIC_BASE_URL}/admin/"
    sign_in = f"{settings.PUBLIC_BASE_URL}/api/v1/auth/sign-in"
    msisdn, word, _, _ = CUSTOMER
    users = [
        {"who": group, "login": email, "password": password, "url": admin}
        for email, password, _, group in STAFF
    ]
    customer = {"who": "customer", "login": msisdn, "password": word, "url": sign_in}
    return {"lines": aligned([*users, customer]), "users": users, "customer": customer}


def aligned(rows: list[dict[str, str]]) -> list[str]:
    widths = {key: max(len(row[key]) for row in rows) for key in ("who", "login", "password")}
    return [
        "  ".join([*(f"{row[key]:<{width}}" for key, width in widths.items()), row["url"]])
        for row in rows
    ]
