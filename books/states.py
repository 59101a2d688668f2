"""What is laid beside what, and the kinds of gap there are."""

from django.db import models


class Side(models.TextChoices):
    """Which of our rows a statement is laid beside."""

    PAYMENTS = "payments", "Payments, beside a gateway's settlement file"
    PURCHASES = "purchases", "Purchases, beside a partner's statement"


class GapKind(models.TextChoices):
    MISSING_HERE = "missing_here", "Missing here"
    MISSING_THERE = "missing_there", "Missing there"
    AMOUNT_DIFFERS = "amount_differs", "Amount differs"
    TWICE = "twice", "Twice"
