"""What may be bought, and from whom: the rows that were asked for and no others."""

import pytest

from catalog.models import Partner, PartnerSource
from catalog.selectors import (
    buyable_sources,
    priced_variants,
    sources_by_variant,
    unknown_partners,
)
from catalog.tests.factories import PartnerFactory, SourceFactory, VariantFactory

pytestmark = pytest.mark.django_db


def test_prices_are_of_the_variants_that_were_asked_for():
    asked, _ = VariantFactory(), VariantFactory()
    assert priced_variants([asked.pk, 10**9]) == {asked.pk: asked}


def test_a_source_that_is_switched_off_is_none():
    variant = VariantFactory()
    off = SourceFactory(variant=variant, is_active=False, priority=1)
    last = SourceFactory(variant=variant, priority=3)
    first = SourceFactory(variant=variant, priority=2)
    SourceFactory(variant=variant, preloaded=True, priority=4)
    SourceFactory()
    assert list(sources_by_variant([variant.pk])) == [variant.pk]
    assert sources_by_variant([variant.pk])[variant.pk][:2] == [first, last]
    assert buyable_sources(variant) == [first, last]
    PartnerSource.objects.filter(pk=off.pk).update(is_active=True)
    assert buyable_sources(variant) == [off, first, last]


def test_nothing_is_bought_from_a_partner_that_is_switched_off():
    variant = VariantFactory()
    SourceFactory(variant=variant, partner=PartnerFactory(slug="gone"))
    good = SourceFactory(variant=variant)
    Partner.objects.filter(slug="gone").update(is_active=False)
    assert buyable_sources(variant) == [good]
    assert sources_by_variant([variant.pk])[variant.pk] == [good]


def test_partners_we_do_not_know():
    partner = PartnerFactory()
    assert unknown_partners([partner.pk]) == []
    assert unknown_partners([10**9, partner.pk, 10**8]) == [10**8, 10**9]
