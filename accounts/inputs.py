"""A Bangladeshi mobile number in the one form we keep: `8801XXXXXXXXX`."""

from typing import Final

import phonenumbers

COUNTRY: Final = 880
MAX_TYPED: Final = 32


def msisdn_of(typed: str) -> str:
    """The number as people type it (`01712-345678`, `+880 1712345678`, Bangla digits) in our form.

    Raises:
        ValueError: not a mobile number of Bangladesh.
    """
    if len(typed) > MAX_TYPED:
        raise ValueError("too long")
    try:
        number = phonenumbers.parse(typed, "BD")
    except phonenumbers.NumberParseException as exc:
        raise ValueError("not a number") from exc
    mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    if number.country_code != COUNTRY or number.extension or not mobile:
        raise ValueError("not a mobile number of Bangladesh")
    return f"{COUNTRY}{number.national_number}"
