"""What is sold and where it comes from."""

import re
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from catalog.states import IDENTIFIERS, FulfillmentType, ProductStatus
from core.kept import Shelf
from core.money import ZERO

CATALOGUE: Final = Shelf("catalogue")
FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
M = TypeVar("M", bound=models.Model)


class ShownQuerySet(models.QuerySet[M]):
    """Rows that the catalogue shows; what sends no signal (see `catalog.apps`) says so here."""

    def update(self, **kwargs: Any) -> int:
        changed = super().update(**kwargs)
        CATALOGUE.turn_on_commit()
        return changed

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        made = super().bulk_create(*args, **kwargs)
        CATALOGUE.turn_on_commit()
        return made


class Category(models.Model):
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=140, unique=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "categories"
        verbose_name_plural = "categories"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """The slugs `new` and `popular` drive a product's flags."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=80, unique=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "tags"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=140, unique=True)
    is_active = models.BooleanField(default=True)
    logo_url = models.URLField(max_length=500, blank=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "brands"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def wrong_in_config(config: Any) -> str:
    """Why checkout could not ask for this (contract page bdvoucher, 3.2 and 4); empty if it can."""
    fields = config.get("fields", []) if isinstance(config, dict) else None
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        return 'Write {"fields": [{"name": "player_id", "label": "Player ID", "required": true}]}.'
    names = [field.get("name") for field in fields]
    if not all(isinstance(name, str) and FIELD_NAME.fullmatch(name) for name in names):
        return "Each field needs a name of small letters, digits and underscores."
    if len(set(names)) < len(names):
        return "A field is named twice."
    if len(set(names).intersection(IDENTIFIERS)) > 1:
        return f"Only one of these may be asked for: {', '.join(IDENTIFIERS)}."
    return ""


class Product(models.Model):
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220, unique=True)
    short_description = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, choices=ProductStatus.choices, default=ProductStatus.DRAFT, db_index=True
    )
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products")
    categories = models.ManyToManyField(Category, related_name="products", blank=True)
    tags = models.ManyToManyField(Tag, related_name="products", blank=True)
    fulfillment_config = models.JSONField(default=dict, blank=True)
    """`{"fields": [{"name", "label", "type", "required"}]}`: what checkout must ask for."""
    redeem_instructions = models.TextField(blank=True)
    """How to redeem, as the customer's mail tells it."""
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "products"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What checkout asks for can be asked: named once each, and for one identifier at most."""
        if wrong := wrong_in_config(self.fulfillment_config):
            raise ValidationError({"fulfillment_config": wrong})


class Variant(models.Model):
    """What is bought."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    name = models.CharField(max_length=200)
    price = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(ZERO)]
    )
    """Taka (BDT) per unit."""
    is_active = models.BooleanField(default=True)
    low_stock_threshold = models.PositiveIntegerField(null=True, blank=True)
    max_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    """Price ceiling in BDT: a source that costs more is never bought from by itself (D19)."""

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "variants"
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="variant_price_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.product} - {self.name}"


class Partner(models.Model):
    """Who sells us codes; `slug` names the adapter where there is one."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField(default=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "partners"

    def __str__(self) -> str:
        return self.name


class PartnerSource(models.Model):
    """A variant at a partner; the preloaded pool is the source without an API."""

    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="sources")
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="sources", null=True, blank=True
    )
    fulfillment_type = models.CharField(max_length=10, choices=FulfillmentType.choices)
    external_offer_id = models.CharField(max_length=120, blank=True)
    field_map = models.JSONField(default=dict, blank=True)
    """Our input name -> the partner's field key."""
    send_value = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    """Face value, for offers that sell any value in a range."""
    send_divisor = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    """Minor units in one of the face value's currency, as the offer says (Zendit: a range's
    `sendCurrencyDivisor`); never assumed to be 100."""
    cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    """What a unit costs us, in BDT, as last known."""
    priority = models.PositiveSmallIntegerField(default=100)
    """The lowest number is asked first."""
    stock_cap = models.PositiveIntegerField(null=True, blank=True)
    """Units that may be ordered from it a day; null is unlimited."""
    is_active = models.BooleanField(default=True)

    objects = ShownQuerySet.as_manager()

    class Meta:
        db_table = "partner_product_sources"
        ordering = ["variant_id", "priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(fulfillment_type=FulfillmentType.PRELOADED)
                | (Q(partner__isnull=False) & ~Q(external_offer_id="")),
                name="source_api_has_partner_and_offer",
            ),
            models.CheckConstraint(
                condition=Q(send_divisor__isnull=True) | Q(send_divisor__gte=1),
                name="source_divisor_is_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner or 'Pool'} / {self.external_offer_id or self.fulfillment_type}"

    def clean(self) -> None:
        """A face value is one the partner can be told, and the pool has neither."""
        if self.send_value is not None and self.send_divisor is not None:
            units = self.send_value * self.send_divisor
            if units != units.to_integral_value():
                message = f"{self.send_value} is finer than 1/{self.send_divisor}."
                raise ValidationError({"send_value": message})
        if self.fulfillment_type == FulfillmentType.API and self.partner is None:
            raise ValidationError({"partner": "A partner's API needs a partner."})
        if self.fulfillment_type == FulfillmentType.API and not self.external_offer_id:
            raise ValidationError({"external_offer_id": "A partner's API needs an offer."})
