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
