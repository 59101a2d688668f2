"""Passwords: one place counts tries and compares, whichever door they come in by."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import User
from core.errors import RateLimited
from core.limits import client_address, count_and_check, forget, give_back
from core.logging import get_logger

log = get_logger(__name__)

CUSTOMERS: Final = "sign-in"
STAFF: Final = "staff-sign-in"
#: Many people share an address (mobile carriers), so it may try more often than an account.
ADDRESS_FACTOR: Final = 10


def with_password(
    user: User | None, password: str, *, scope: str, account: str, address: str
) -> User | None:
    """`user` if this is the password of a usable account; costs one hash in every case.

    A try counts before it is compared, for the account and for the address; a good one takes
    its count back. Uncounted while Redis is away (`core.limits` says why).

    Raises:
        RateLimited: `SIGN_IN_TRIES` for the account, or tenfold for the address, are used up.
    """
    tries: int = settings.SIGN_IN_TRIES
    window = settings.SIGN_IN_WINDOW
    by_address = f"{scope}-address"
    count_and_check(by_address, address, tries * ADDRESS_FACTOR, window, open_when_down=True)
    count_and_check(scope, account, tries, window, open_when_down=True)
    if user is None:
        make_password(password)  # the time a known account would have taken
        fits = False
    else:
        fits = user.check_password(password) and user.is_active
    who = user.pk if user else None
    log.info("sign_in.tried", scope=scope, ok=fits, user_id=who, address=address)
    if not fits:
        return None
    forget(scope, account)
    give_back(by_address, address)
    return user


class StaffBackend(ModelBackend):
    """Staff by e-mail and password; a customer's account opens nothing here."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = username or kwargs.get("email")
        if not email or password is None:
            return None
        address = client_address(request) if request else "none"
        try:
            return with_password(
                staff_with(email), password, scope=STAFF, account=email.lower(), address=address
            )
        except RateLimited as exc:
            if request is not None:
                request.META["SIGN_IN_WAIT"] = str(exc.retry_after)  # the form's sentence
            raise PermissionDenied(exc.message) from exc


def staff_with(email: str) -> User | None:
    return User.objects.filter(is_staff=True, email__iexact=email).first()
