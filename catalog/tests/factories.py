"""Goods to test with: `VariantFactory(preloaded=True)`, `VariantFactory(zendit=True)`."""

from decimal import Decimal
from typing import Any

import factory

from catalog.models import Brand, Category, Partner, PartnerSource, Product, Tag, Variant
from catalog.states import FulfillmentType, ProductStatus

PLAYER_FIELDS = {
    "fields": [
        {"name": "player_id", "label": "Free Fire Player ID", "type": "text", "required": True},
        {"name": "zone_id", "label": "Zone ID", "type": "text", "required": False},
    ]
}


class CategoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.Sequence(lambda n: f"category-{n}")


class TagFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Tag
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda n: f"tag-{n}")
    name = factory.LazyAttribute(lambda tag: tag.slug.title())


class BrandFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Brand

    name = factory.Sequence(lambda n: f"Brand {n}")
    slug = factory.Sequence(lambda n: f"brand-{n}")


class ProductFactory(factory.django.DjangoModelFactory):
    """Active and of an active brand; asks for nothing. `asks_player=True`: a game top-up."""

    class Meta:
        model = Product
        skip_postgeneration_save = True

    class Params:
        asks_player = factory.Trait(fulfillment_config=PLAYER_FIELDS)
        hidden = factory.Trait(status=ProductStatus.DRAFT)

    name = factory.Sequence(lambda n: f"Product {n}")
    slug = factory.Sequence(lambda n: f"product-{n}")
    status = ProductStatus.ACTIVE
    brand = factory.SubFactory(BrandFactory)

    @factory.post_generation
    def categories(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.categories.set(extracted)

    @factory.post_generation
    def tags(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.tags.set(
                [TagFactory(slug=tag) if isinstance(tag, str) else tag for tag in extracted]
            )


class PartnerFactory(factory.django.DjangoModelFactory):
    """Zendit, the partner we have an adapter for; give another slug for another one."""

    class Meta:
        model = Partner
        django_get_or_create = ("slug",)

    slug = "zendit"
    name = factory.LazyAttribute(lambda partner: partner.slug.title())


class VariantFactory(factory.django.DjangoModelFactory):
    """100 taka, no source. `preloaded=True`: from our pool (codes are added by the test);
    `zendit=True`: bought from Zendit, unlimited.
    """

    class Meta:
        model = Variant
        skip_postgeneration_save = True

    class Params:
        preloaded = factory.Trait(
            pool=factory.RelatedFactory(
                "catalog.tests.factories.SourceFactory", "variant", preloaded=True
            )
        )
        zendit = factory.Trait(
            offer=factory.RelatedFactory("catalog.tests.factories.SourceFactory", "variant")
        )

    product = factory.SubFactory(ProductFactory)
    name = factory.Sequence(lambda n: f"Variant {n}")
    price = Decimal("100.00")


class SourceFactory(factory.django.DjangoModelFactory):
    """An offer at Zendit, asked first; `preloaded=True` is the pool."""

    class Meta:
        model = PartnerSource

    class Params:
        preloaded = factory.Trait(
            partner=None, fulfillment_type=FulfillmentType.PRELOADED, external_offer_id=""
        )

    variant = factory.SubFactory(VariantFactory)
    partner = factory.SubFactory(PartnerFactory)
    fulfillment_type = FulfillmentType.API
    external_offer_id = factory.Sequence(lambda n: f"OFFER_{n}")
    priority = 1
