"""A Bangladeshi mobile number in the one form we keep: `8801XXXXXXXXX`."""

import re
from typing import Final

import phonenumbers

COUNTRY: Final = 880
NATIONAL_DIGITS: Final = 10
MAX_TYPED: Final = 32

_GAP: Final = "[ ().-]*"
_BANGLA_ZERO: Final = 0x09E6


def _typed(digits: str) -> str:
    """One of these digits, in Latin or Bangla writing, after whatever separates groups."""
    bangla = "".join(chr(_BANGLA_ZERO + int(digit)) for digit in digits)
    return f"{_GAP}[{digits}{bangla}]"


_COUNTRY: Final = rf"(?:{_GAP}\+)?{_typed('8') * 2}|{_typed('0') * 2}{_typed('8') * 2}"
_REST: Final = f"(?:{_typed('0123456789')}){{8}}"
#: Also in the API's documentation, so that a client can check before it asks.
PATTERN: Final = f"^(?:{_COUNTRY})?{_typed('0')}?{_typed('1')}{_typed('13456789')}{_REST}$"
_SHAPE: Final = re.compile(PATTERN)


def msisdn_of(typed: str) -> str:
    """The number as people type it (`01712-345678`, `+88 01712 345678`, Bangla digits) in our form.

    Raises:
        ValueError: not a mobile number of Bangladesh.
    """
    if len(typed) > MAX_TYPED or not _SHAPE.fullmatch(typed):
        raise ValueError("not written like a mobile number of Bangladesh")
    digits = "".join(str(int(sign)) for sign in typed if sign.isdecimal())[-NATIONAL_DIGITS:]
    number = phonenumbers.PhoneNumber(country_code=COUNTRY, national_number=int(digits))
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        raise ValueError("no such mobile number in Bangladesh")
    return f"{COUNTRY}{digits}"
