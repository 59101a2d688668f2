"""Accounts of customers: made, changed, opened again with a new password."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.authentication import CLIENT
from accounts.models import OtpPurpose, User
from accounts.services.otp import proved_number, use_otp, wrong_code
from accounts.services.sessions import Session, session_for
from core.errors import BadRequest, Conflict, Detail
from core.limits import count_and_check

#: Existence is told to whoever asks (the contract wants it), but not to a collector of numbers.
LOOK_UPS_PER_ADDRESS: Final = (60, timedelta(minutes=15))


def account_exists(msisdn: str, *, address: str) -> bool:
    """Whether a customer has this number.

    Raises:
        RateLimited: this address asked too often.
    """
    limit, window = LOOK_UPS_PER_ADDRESS
    count_and_check("user-exist", address, limit, window)
    return User.objects.filter(msisdn=msisdn, is_staff=False).exists()


def sign_up(
    verification_token: str, password: str, *, name: str = "", email: str = "", language: str = "en"
) -> Session:
    """An account for a number that was proved, and its first tokens.

    Raises:
        BadRequest: the proof is too old, or the password too weak.
        Conflict: the number has an account by now.
    """
    msisdn = proved_number(verification_token)
    _check_password(password)
    try:
        with transaction.atomic():
            user = User.objects.create_customer(
                msisdn=msisdn, password=password, name=name, email=email, language=language
            )
    except IntegrityError as exc:
        raise Conflict("This number has an account already.") from exc
    return session_for(user, door=CLIENT)


def reset_password(msisdn: str, code: str, password: str, *, address: str) -> None:
    """Set a new password by a code; every token given before ends with the old one.

    Raises:
        BadRequest: the password is too weak (the code stays good), or the code is not right.
    """
    _check_password(password)
    use_otp(msisdn, code, purpose=OtpPurpose.RESET, address=address)
    user = User.objects.filter(msisdn=msisdn, is_staff=False, is_active=True).first()
    if user is None:  # nobody was sent this code: it was guessed, for a number without account
        raise wrong_code()
    user.set_password(password)
    user.save(update_fields=["password"])


def change_profile(user: User, changes: Mapping[str, str]) -> User:
    """Change name, e-mail or language; the number is the account and stays."""
    for name, value in changes.items():
        setattr(user, name, value)
    if changes:
        user.save(update_fields=[*changes])
    return user


def _check_password(password: str) -> None:
    try:
        validate_password(password)
    except ValidationError as exc:
        details = [Detail("password", "weak", message) for message in exc.messages]
        raise BadRequest(exc.messages[0], details=details) from exc
