"""Customers and staff: one table, two doors, and no token of one opens the other."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_customer(self, *, msisdn: str, password: str | None, **fields: Any) -> "User":
        """A customer, known by the number in its one form (`8801XXXXXXXXX`)."""
        user = self.model(msisdn=msisdn, is_staff=False, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_staff(self, *, email: str, password: str | None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), is_staff=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """For `manage.py createsuperuser`."""
        return self.create_staff(email=email, password=password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Staff sign in by e-mail; a customer's e-mail proves nothing and finds nobody."""
        return self.get(is_staff=True, email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    msisdn = models.CharField("mobile number", max_length=15, null=True, blank=True, unique=True)
    email = models.EmailField(blank=True, default="")
    name = models.CharField(max_length=150, blank=True)
    language = models.CharField(
        max_length=2, choices=[("en", "English"), ("bn", "বাংলা")], default="en"
    )
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "users"
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=Q(is_staff=True), name="user_staff_email_once"
            ),
            models.CheckConstraint(
                condition=Q(is_staff=True) | Q(msisdn__isnull=False),
                name="user_customer_has_msisdn",
            ),
            models.CheckConstraint(
                condition=Q(is_staff=False) | ~Q(email=""), name="user_staff_has_email"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.msisdn or f"user {self.pk}"


class OtpPurpose(models.TextChoices):
    SIGN_UP = "sign_up", "Sign up"
    RESET = "reset", "New password"


class OneTimePassword(models.Model):
    """The last code sent to a number; a row per number, so only one can ever be live."""

    msisdn = models.CharField(max_length=15, unique=True)
    purpose = models.CharField(max_length=10, choices=OtpPurpose.choices)
    digest = models.BinaryField(max_length=32, editable=False)
    """Keyed: a million codes would be guessed from a plain hash in a second."""
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "one_time_passwords"


class SecondFactor(models.Model):
    """An authenticator app of one of the staff (RFC 6238); counts once it has been confirmed."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="second_factor", primary_key=True
    )
    secret = models.BinaryField(editable=False)
    """Sealed; who reads the database can't make codes."""
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    """The half minute of the last code that was taken: none is taken twice."""

    class Meta:
        db_table = "second_factors"


class RecoveryCode(models.Model):
    """Opens the door once, when the authenticator is lost."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField(max_length=32, editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_codes"
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")
        ]


class StaffAction(models.Model):
    """Something one of the staff did on the operators' site: who, what, when, how it ended."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    """Null for a sign-in that failed."""
    action = models.CharField(max_length=100)
    """The page's name, such as `orders_order_resend`."""
    path = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField()
    """HTTP status of the answer."""
    address = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        db_table = "staff_actions"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "-id"], name="staff_action_of_user")]

    def __str__(self) -> str:
        return self.action
