"""Signing in, staying in, signing out, at either door."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.authentication import ADMIN, CLIENT, opens, tokens_for
from accounts.backends import CUSTOMERS, STAFF, staff_with, with_password
from accounts.models import User
from accounts.services.second_factor import has_second_factor, passes_second_factor
from core.errors import Detail, DomainError

CODE_NEEDED: Final = "The code of your second factor is needed: send it as otp_code."


class Refused(DomainError):  # noqa: N818 - the words of D2
    """Who you are was not shown; what exactly is wrong is not said."""

    http_status: ClassVar[int] = 401
    code: ClassVar[str] = "UNAUTHORIZED"


@dataclass(frozen=True, slots=True)
class Session:
    user: User
    access: str = field(repr=False)
    refresh: str = field(repr=False)


def session_for(user: User, *, door: str) -> Session:
    access, refresh = tokens_for(user, door=door)
    return Session(user, access, refresh)


def sign_in(msisdn: str, password: str, *, address: str) -> Session:
    """A customer, by number and password.

    Raises:
        Refused: no such account, or another password.
        RateLimited: too many tries for this account or from this address.
    """
    found = User.objects.filter(msisdn=msisdn, is_staff=False).first()
    user = with_password(found, password, scope=CUSTOMERS, account=msisdn, address=address)
    if user is None:
        raise Refused("Wrong mobile number or password.")
    return session_for(user, door=CLIENT)


def sign_in_staff(email: str, password: str, *, otp_code: str = "", address: str) -> Session:
    """One of ours, by e-mail, password and second factor; shares its counters with the admin's
    own page.

    Raises:
        Refused, RateLimited: as `sign_in`; or the second factor is missing, wrong, or not set
            up where everybody must have one.
    """
    found = staff_with(email)
    user = with_password(found, password, scope=STAFF, account=email.lower(), address=address)
    if user is None:
        raise Refused("Wrong e-mail or password.")
    if settings.SECOND_FACTOR_REQUIRED and not has_second_factor(user):
        raise Refused("Set up your second factor on the operators' site first.")
    if not passes_second_factor(user, otp_code, now=timezone.now()):
        message = "This code of your second factor is not good." if otp_code else CODE_NEEDED
        raise Refused(message, details=[Detail("otp_code", "required", message)])
    return session_for(user, door=ADMIN)


def renew(refresh_token: str, *, door: str) -> Session:
    """A new pair for a refresh token, which is used up by this.

    Raises:
        Refused: not a live refresh token of this door, or of an account that is closed now.
    """
    refresh, user = _read(refresh_token, door=door)
    # The first of two that come together wins: the row is unique.
    revoked: Any = refresh.blacklist()  # annotated as a row, but it is `get_or_create`'s pair
    if not revoked[1]:
        raise _dead()
    return session_for(user, door=door)


def sign_out(refresh_token: str, *, door: str) -> None:
    """Revoke a refresh token; one that is no longer good is out already."""
    try:
        refresh, _ = _read(refresh_token, door=door)
    except Refused:
        return
    refresh.blacklist()


def _read(text: str, *, door: str) -> tuple[RefreshToken, User]:
    try:
        refresh = RefreshToken(text)  # type: ignore[arg-type] # its annotation is wrong
        user_id = int(refresh[api_settings.USER_ID_CLAIM])
    except (TokenError, KeyError, ValueError) as exc:
        raise _dead() from exc
    user = User.objects.filter(pk=user_id).first()
    if user is None or not opens(refresh, user, door=door):
        raise _dead()
    return refresh, user


def _dead() -> Refused:
    return Refused("This refresh token is not valid. Please sign in again.")
