"""The words of the catalogue."""

from django.db import models


class ProductStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    PENDING = "pending", "Pending"
    DISCARDED = "discarded", "Discarded"


class FulfillmentType(models.TextChoices):
    PRELOADED = "PRELOADED", "Preloaded pool"
    API = "API", "Partner's API"


#: The only identifier names a product may ask for (contract page bdvoucher, section 3.2).
IDENTIFIERS = ("email", "player_id", "account_id", "uid")


class StockStatus(models.TextChoices):
    """What a storefront shows of a variant's stock (contract page bdvoucher, section 3.1)."""

    IN_STOCK = "in_stock", "In stock"
    LOW_STOCK = "low_stock", "Low stock"
    OUT_OF_STOCK = "out_of_stock", "Out of stock"
    UNLIMITED = "unlimited", "Unlimited"
    UNTRACKED = "untracked", "Untracked"


class StockSource(models.TextChoices):
    PRELOADED = "preloaded", "Preloaded pool"
    API = "api", "Partner's API"
    UNTRACKED = "untracked", "Untracked"


#: How a list of products may be sorted; the first one is the default.
SORTS = ("newest", "price_asc", "price_desc", "name")
