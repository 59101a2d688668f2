"""Loyalty programmes: who may order, what they ordered, and points to be credited (D47)."""

import re
import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from catalog.models import Category
from loyalty.states import (
    ITEM_STATE_OF_TRANSFER,
    CheckDigit,
    ItemState,
    ItemType,
    RequestStatus,
    RuleKind,
    Scope,
    Standing,
    TransferStatus,
)
from orders.models import Order
from orders.states import OrderStatus
from webhooks.models import Endpoint
from webhooks.states import Audience

MEMBER_ID_LENGTH: Final = 40
#: A repeated group that repeats inside takes exponential time on a hostile id.
_NESTED: Final = re.compile(r"\([^)]*[+*}][^)]*\)[+*{]")


class LoyaltyProgram(models.Model):
    """A programme: its members order through us, or points are credited to it, or both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=500, blank=True)
    points_name = models.CharField(max_length=40, default="points")
    """What is credited: points, miles, grams of carbon."""
    item_types = ArrayField(
        models.CharField(max_length=20, choices=ItemType.choices), default=list, blank=True
    )
    """What the clients of this programme may order."""
    categories = models.ManyToManyField(Category, related_name="+", blank=True)
    """Gift cards offered to its members; none: everything on sale."""
    partner = models.SlugField(max_length=60, blank=True)
    """The adapter through which points are credited; empty: they can't be credited."""
    partner_program_code = models.CharField(max_length=60, blank=True)
    """How that partner calls the programme."""
    least_amount = models.PositiveIntegerField(default=1)
    most_amount = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "loyalty_programs"
        verbose_name = "loyalty programme"
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(partner="", partner_program_code="")
                | (~Q(partner="") & ~Q(partner_program_code="")),
                name="program_partner_has_code",
            ),
            models.CheckConstraint(
                condition=Q(least_amount__gte=1)
                & (Q(most_amount__isnull=True) | Q(most_amount__gte=F("least_amount"))),
                name="program_amounts_sensible",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipRule(models.Model):
    """One rule of a programme's Validation Engine; all of them must hold, in their order."""

    program = models.ForeignKey(LoyaltyProgram, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=20, choices=RuleKind.choices)
    pattern = models.CharField(max_length=200, blank=True)
    """For a pattern: a regular expression that the whole id must fit."""
    shortest = models.PositiveSmallIntegerField(null=True, blank=True)
    longest = models.PositiveSmallIntegerField(null=True, blank=True)
    check_digit = models.CharField(max_length=10, choices=CheckDigit.choices, blank=True)
    message = models.CharField(max_length=200, blank=True)
    """What the client is told; empty: our usual sentence."""
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "loyalty_membership_rules"
        ordering = ["program", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(~Q(kind=RuleKind.PATTERN) | ~Q(pattern=""))
                & (~Q(kind=RuleKind.LENGTH) | Q(shortest__isnull=False) | Q(longest__isnull=False))
                & (~Q(kind=RuleKind.CHECK_DIGIT) | ~Q(check_digit="")),
                name="membership_rule_is_complete",
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def clean(self) -> None:
        """A rule that can't be applied is not saved."""
        if self.kind == RuleKind.PATTERN:
            try:
                re.compile(self.pattern)
            except re.error as exc:
                raise ValidationError({"pattern": f"Not a regular expression: {exc}."}) from exc
            if not self.pattern or _NESTED.search(self.pattern):
                words = "Say which ids fit, without a repetition inside a repeated group."
                raise ValidationError({"pattern": words})
        if self.kind == RuleKind.LENGTH and self.shortest is None and self.longest is None:
            raise ValidationError({"shortest": "Say the shortest or the longest length."})
        if self.kind == RuleKind.CHECK_DIGIT and not self.check_digit:
            raise ValidationError({"check_digit": "Say how the check digit is made."})


class ProgramMember(models.Model):
    """What we know of a member: the name for the match, and whether points may be credited."""

    program = models.ForeignKey(LoyaltyProgram, on_delete=models.CASCADE, related_name="members")
    member_id = models.CharField(max_length=MEMBER_ID_LENGTH)
    """As the engine reads it: upper case, without blanks and hyphens."""
    name = models.CharField(max_length=200, blank=True)
    standing = models.CharField(max_length=20, choices=Standing.choices, default=Standing.ELIGIBLE)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "loyalty_program_members"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "member_id"], name="member_once_a_program")
        ]

    def __str__(self) -> str:
        return self.member_id


class LoyaltyClient(models.Model):
    """A programme's system that calls us; one programme may have several (live, test)."""

    program = models.ForeignKey(LoyaltyProgram, on_delete=models.PROTECT, related_name="clients")
    name = models.CharField(max_length=120)
    client_id = models.CharField(max_length=40, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope.choices), default=list, blank=True
    )
    rate_limit = models.PositiveIntegerField(null=True, blank=True)
    """Calls a minute; empty: the shop's usual limit."""
    webhook = models.OneToOneField(
        Endpoint,
        on_delete=models.PROTECT,
        related_name="programme_client",
        null=True,
        blank=True,
        limit_choices_to={"audience": Audience.PROGRAMME},
        help_text="Where it is told what became of its orders.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "loyalty_clients"
        permissions = [("rotate_secret", "Can make secrets of clients")]

    is_authenticated = True
    """What the API's permissions ask of whoever calls; a client without a token never gets here."""
    is_staff = False

    def __str__(self) -> str:
        return self.name


class ClientSecret(models.Model):
    """A secret of a client, hashed; two are good at once while a client changes over."""

    client = models.ForeignKey(LoyaltyClient, on_delete=models.PROTECT, related_name="secrets")
    hashed = models.CharField(max_length=200)
    hint = models.CharField(max_length=8)
    """Its last characters, to tell two apart."""
    created_at = models.DateTimeField()
    good_until = models.DateTimeField(null=True)
    """Null: until another one is made. Tokens end with the secret they were got with."""

    class Meta:
        db_table = "loyalty_client_secrets"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"...{self.hint}"


class PointsAccount(models.Model):
    """Where a member of a programme keeps points; who has several must say which one paid."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    program = models.ForeignKey(LoyaltyProgram, on_delete=models.PROTECT, related_name="accounts")
    user_id = models.UUIDField()
    """How the programme calls its member."""
    label = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "loyalty_points_accounts"
        indexes = [models.Index(fields=["program", "user_id"], name="points_account_of_user")]

    def __str__(self) -> str:
        return str(self.pk)


class FulfillmentOrder(models.Model):
    """One call of a programme that shall be carried out, once, for ever under its reference."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(LoyaltyClient, on_delete=models.PROTECT, related_name="orders")
    reference = models.CharField(max_length=100)
    """The client's own; never used twice (NN1011)."""
    request_key = models.CharField(max_length=200, blank=True, editable=False)
    """The `Idempotency-Key` it came with: a repeat finds its order whatever died meanwhile."""
    request_digest = models.BinaryField(max_length=32, editable=False)
    status = models.CharField(
        max_length=10, choices=RequestStatus.choices, default=RequestStatus.ACCEPTED
    )
    item_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    item_type = models.CharField(max_length=20, choices=ItemType.choices)
    user_id = models.UUIDField()
    points_account = models.ForeignKey(
        PointsAccount, on_delete=models.PROTECT, related_name="+", null=True
    )
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, related_name="fulfillment_order", null=True
    )
    """Of a gift card: the order of the shop that delivers it (D47)."""
    recipient_name = models.CharField(max_length=200, blank=True)
    submitted_at = models.DateTimeField(null=True)
    """When the member ordered, as the client says."""
    created_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_fulfillment_orders"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "reference"], name="fulfillment_reference_once"
            ),
            models.CheckConstraint(
                condition=Q(item_type=ItemType.GIFT_CARD, order__isnull=False)
                | Q(item_type=ItemType.POINTS_TRANSFER, order__isnull=True),
                name="fulfillment_gift_card_has_order",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-created_at", "-id"], name="fulfillment_of_client"),
            models.Index(fields=["client", "user_id"], name="fulfillment_of_user"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def item_state(self) -> ItemState:
        """Read from the rows that do the work, each time; nothing is counted along."""
        if self.order is not None:
            return _state_of_order(self.order)
        return ITEM_STATE_OF_TRANSFER[TransferStatus(self.transfer.status)]


def _state_of_order(order: Order) -> ItemState:
    """A gift card that needs attention is still owed, so it has not failed (D42 ends the debt)."""
    if order.closed_by_refund:
        return ItemState.CANCELLED
    if order.status == OrderStatus.SUCCEEDED:
        return ItemState.FULFILLED
    return ItemState.PROCESSING


class PointsTransfer(models.Model):
    """Points to be credited to a member; the row is stored before its partner is called."""

    fulfillment = models.OneToOneField(
        FulfillmentOrder, on_delete=models.PROTECT, related_name="transfer"
    )
    program = models.ForeignKey(LoyaltyProgram, on_delete=models.PROTECT, related_name="transfers")
    partner = models.SlugField(max_length=60)
    program_code = models.CharField(max_length=60)
    """How the partner calls the programme, as it was then."""
    reference = models.CharField(max_length=40)
    """Ours, at the partner; sent again only where the first one surely did nothing."""
    member_id = models.CharField(max_length=MEMBER_ID_LENGTH)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    amount = models.PositiveIntegerField()
    status = models.CharField(
        max_length=10, choices=TransferStatus.choices, default=TransferStatus.QUEUED
    )
    tries = models.PositiveSmallIntegerField(default=0)
    """How often it was sent."""
    checks = models.PositiveSmallIntegerField(default=0)
    """How often its outcome was asked for since it was sent."""
    sent_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    """When it is sent or asked about; the plan is in the row."""
    partner_transaction_id = models.CharField(max_length=100, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=300, blank=True)
    settled_by = models.CharField(max_length=40, blank=True)
    """The operator who asked the partner and closed it by hand."""
    settled_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    """What that operator said."""
    correlation_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "loyalty_points_transfers"
        ordering = ["-pk"]
        permissions = [("settle_transfer", "Can close a transfer after asking the partner")]
        constraints = [
            models.UniqueConstraint(fields=["partner", "reference"], name="transfer_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["SUCCEEDED", "FAILED", "CANCELLED"], ended_at__isnull=False)
                | (~Q(status__in=["SUCCEEDED", "FAILED", "CANCELLED"]) & Q(ended_at__isnull=True)),
                name="transfer_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["QUEUED", "CANCELLED"]) | Q(sent_at__isnull=False),
                name="transfer_sent_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                condition=Q(status__in=["QUEUED", "SENT", "PENDING", "UNKNOWN"]),
                name="transfer_due",
            )
        ]

    def __str__(self) -> str:
        return self.reference
