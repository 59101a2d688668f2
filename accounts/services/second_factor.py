"""Second factor of the staff: a code of an authenticator app, or a recovery code (RFC 6238).

A code is good for its half minute and its neighbours, and for one sign-in: the step it belongs
to is written down before anything is opened by it.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from typing import Final
from urllib.parse import quote

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts.models import RecoveryCode, SecondFactor, User
from core.errors import BadRequest, Conflict
from core.limits import count_and_check, forget
from core.logging import get_logger

log = get_logger(__name__)

STEP: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
CODES: Final = 10
SCOPE: Final = "staff-second-factor"
PASSWORD_SCOPE: Final = "staff-password-again"  # noqa: S105 - the name of a counter
_SALT: Final = "accounts.second-factor"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def has_second_factor(user: User) -> bool:
    return SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).exists()


def knows_password(user: User, password: str) -> bool:
    """Whether who sits there now is who signed in: asked before a way in is changed.

    Raises:
        RateLimited: too many wrong passwords.
    """
    tries, window = settings.SIGN_IN_TRIES, settings.SIGN_IN_WINDOW
    count_and_check(PASSWORD_SCOPE, str(user.pk), tries, window, open_when_down=True)
    good = user.check_password(password)
    if good:
        forget(PASSWORD_SCOPE, str(user.pk))
    return good


def begin_second_factor(user: User) -> tuple[str, str]:
    """A new key for the app, and the address that hands it over; good once confirmed.

    Raises:
        Conflict: there is one already; it has to be switched off first.
    """
    if has_second_factor(user):
        raise Conflict("Your second factor is set up already.")
    row = SecondFactor.objects.filter(user=user).first()
    if row is None:
        sealed = _ring().encrypt(secrets.token_bytes(SECRET_BYTES))
        row, _ = SecondFactor.objects.get_or_create(user=user, defaults={"secret": sealed})
    key = base64.b32encode(_opened(row)).decode()
    issuer = quote("BD Voucher")
    return key, f"otpauth://totp/{issuer}:{quote(user.email)}?secret={key}&issuer={issuer}"


def confirm_second_factor(user: User, code: str, *, now: datetime) -> list[str]:
    """Switch it on, shown that the app makes our codes; the recovery codes, told this once.

    Raises:
        BadRequest: the code is not the app's.
        Conflict: it is on already.
        RateLimited: too many wrong codes.
    """
    with transaction.atomic():
        row = SecondFactor.objects.select_for_update().filter(user=user).first()
        if row is None or row.confirmed_at is not None:
            raise Conflict("There is nothing to confirm.")
        _count(user)
        step = _step_of(_opened(row), code, now=now)
        if step is None:
            raise BadRequest.at("code", "This is not the code the app shows now.")
        row.confirmed_at, row.last_step = now, step
        row.save(update_fields=["confirmed_at", "last_step"])
        RecoveryCode.objects.filter(user=user).delete()
        codes = [_new_code() for _ in range(CODES)]
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digest(each)) for each in codes
        )
    forget(SCOPE, str(user.pk))
    log.info("second_factor.on", user_id=user.pk)
    return codes


def passes_second_factor(user: User, code: str, *, now: datetime) -> bool:
    """Whether the code opens the door; it is used up by that. True for who has no second factor.

    Raises:
        RateLimited: too many wrong codes for this account.
    """
    row = SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).first()
    if row is None:
        return True
    if not code:
        return False
    _count(user)
    step = _step_of(_opened(row), code, now=now)
    if step is not None:
        fresh = SecondFactor.objects.filter(user=user, last_step__lt=step)
        good = bool(fresh.update(last_step=step))
    else:
        unused = RecoveryCode.objects.filter(user=user, digest=_digest(code), used_at=None)
        good = bool(unused.update(used_at=now))
    if good:
        forget(SCOPE, str(user.pk))
    log.info("second_factor.tried", user_id=user.pk, ok=good)
    return good


def drop_second_factor(user: User) -> None:
    """Switch it off, with its recovery codes."""
    RecoveryCode.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()
    log.info("second_factor.off", user_id=user.pk)


def code_at(key: bytes, step: int) -> str:
    """The code of one half minute (RFC 4226, section 5.3)."""
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    place = digest[-1] & 0x0F
    number: int = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def _step_of(key: bytes, code: str, *, now: datetime) -> int | None:
    """Which half minute the code is of: this one, or a neighbour for a clock that is off."""
    typed = "".join(code.split())
    here = int(now.timestamp()) // STEP
    steps = (here, here - 1, here + 1)
    return next((s for s in steps if hmac.compare_digest(code_at(key, s), typed)), None)


def _count(user: User) -> None:
    tries, window = settings.SIGN_IN_TRIES, settings.SIGN_IN_WINDOW
    count_and_check(SCOPE, str(user.pk), tries, window, open_when_down=True)


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _digest(code: str) -> bytes:
    bare = "".join(code.upper().replace("-", "").split())
    return salted_hmac(_SALT, bare, algorithm="sha256").digest()


def _ring() -> MultiFernet:
    """Keys of our own, made of the shop's secrets; an old one still opens."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    made = (hashlib.sha256(f"{_SALT}:{key}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in made])


def _opened(row: SecondFactor) -> bytes:
    return _ring().decrypt(bytes(row.secret))
