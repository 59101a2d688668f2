"""One-time passwords: 6 digits, 5 minutes, 5 tries, one live per number.

Whether a number has an account can't be told from `send_otp`, neither by its answer nor by
its time: the same rows are written and a message is sent in every case; where a new password
is asked for a number without account, the message says so instead of holding a code.
"""

import secrets
from datetime import timedelta
from typing import Final

from django.core import signing
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language

from accounts import sms
from accounts.models import OneTimePassword, OtpPurpose, User
from core.errors import BadGateway, BadRequest
from core.limits import count_and_check
from core.logging import get_logger
from core.providers import ProviderError

log = get_logger(__name__)

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=5)
TRIES: Final = 5
RESEND_SECONDS: Final = 30
#: How often a message may go out: per number in a short and a long time, and per address.
PER_NUMBER: Final = ((1, timedelta(seconds=RESEND_SECONDS)), (10, timedelta(hours=1)))
PER_NUMBER_A_DAY: Final = (20, timedelta(days=1))
PER_ADDRESS: Final = (60, timedelta(hours=1))
#: The five tries of a code are counted in its row; this bounds guessing over many numbers.
CHECKS_PER_ADDRESS: Final = (60, timedelta(minutes=15))
PROOF_LIFETIME: Final = timedelta(minutes=15)
_PROOF_SALT: Final = "accounts.number-proved"

TEXTS: Final = {
    "en": {
        "code": "{code} is your BD Voucher code. It is valid for 5 minutes. Tell it to nobody.",
        "nobody": "Someone asked for a new BD Voucher password for this number, but it has no "
        "account. If it was not you, do nothing.",
    },
    "bn": {
        "code": "আপনার BD Voucher কোড {code}। এটি ৫ মিনিট কার্যকর। কাউকে বলবেন না।",
        "nobody": "এই নম্বরের জন্য BD Voucher-এর নতুন পাসওয়ার্ড চাওয়া হয়েছে, কিন্তু এই নম্বরে কোনো "
        "অ্যাকাউন্ট নেই। আপনি না চাইলে কিছু করতে হবে না।",
    },
}


def send_otp(msisdn: str, *, purpose: OtpPurpose, address: str) -> None:
    """Make a code for this number the only live one and send it.

    Raises:
        RateLimited: too many messages to this number or from this address.
        BadGateway: the message could not be handed over.
    """
    limit, window = PER_ADDRESS
    count_and_check("otp-address", address, limit, window)
    for limit, window in (*PER_NUMBER, PER_NUMBER_A_DAY):
        count_and_check(f"otp-number-{int(window.total_seconds())}", msisdn, limit, window)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    account = User.objects.filter(msisdn=msisdn, is_staff=False, is_active=True).first()
    OneTimePassword.objects.update_or_create(
        msisdn=msisdn,
        defaults={
            "purpose": purpose,
            "digest": _digest(msisdn, purpose, code),
            "expires_at": timezone.now() + LIFETIME,
            "tries": 0,
            "used_at": None,
        },
    )
    nobody = purpose == OtpPurpose.RESET and account is None
    language = account.language if account else (get_language() or "en")[:2]
    text = TEXTS.get(language, TEXTS["en"])["nobody" if nobody else "code"].format(code=code)
    try:
        sms.get_sender().send(msisdn, text)
    except ProviderError as exc:
        log.warning("otp.not_sent", purpose=purpose.value, error=type(exc).__name__)
        raise BadGateway("The message could not be sent. Please try again.") from exc
    log.info("otp.sent", purpose=purpose.value)


def use_otp(msisdn: str, code: str, *, purpose: OtpPurpose, address: str) -> None:
    """Use up the live code of this number.

    Raises:
        BadRequest: wrong, expired, used, or tried too often; which of them is not said.
    """
    limit, window = CHECKS_PER_ADDRESS
    count_and_check("otp-check", address, limit, window, open_when_down=True)
    now = timezone.now()
    mine = OneTimePassword.objects.filter(msisdn=msisdn, purpose=purpose, used_at=None)
    # Counted before it is compared, and by the database: parallel guesses get no extra try.
    counted = mine.filter(expires_at__gt=now, tries__lt=TRIES).update(tries=F("tries") + 1)
    right = counted and mine.filter(digest=_digest(msisdn, purpose, code)).update(used_at=now)
    if not right:
        raise wrong_code()


def wrong_code() -> BadRequest:
    return BadRequest.at("otp", "This code is wrong or no longer valid.", code="otp")


def prove_number(msisdn: str, code: str, *, address: str) -> str:
    """A signed token that says: whoever holds it reads the messages of this number."""
    use_otp(msisdn, code, purpose=OtpPurpose.SIGN_UP, address=address)
    return signing.dumps(msisdn, salt=_PROOF_SALT)


def proved_number(token: str) -> str:
    """The number a token of `prove_number` speaks of.

    Raises:
        BadRequest: not such a token, or too old.
    """
    try:
        return str(signing.loads(token, salt=_PROOF_SALT, max_age=PROOF_LIFETIME))
    except signing.BadSignature as exc:
        message = "Verify the number again."
        raise BadRequest.at("verificationToken", message) from exc


def _digest(msisdn: str, purpose: OtpPurpose, code: str) -> bytes:
    value = f"{msisdn}:{purpose.value}:{code}"
    return salted_hmac("accounts.otp", value, algorithm="sha256").digest()
