"""Reading the body of a call, in the order in which the platform would refuse it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from simulators.frame.http import JsonObject

from .answers import refuse
from .records import PREFIXES

#: A body of another shape than an object of texts has this code.
INVALID: Final = "E1312"


@dataclass(frozen=True, slots=True)
class Wish:
    application_id: str
    external: str
    subscriber: str
    number: str
    amount: str


def texts(data: JsonObject, *names: str) -> list[str]:
    found = [data.get(name) for name in names]
    for value in found:
        if not isinstance(value, str) or not value:
            refuse(INVALID)
    return [str(value) for value in found]


def credentials(data: JsonObject, applications: Mapping[str, str]) -> str:
    """The application that asks.

    Raises:
        Refusal: E1313.
    """
    application, password = str(data.get("applicationId", "")), str(data.get("password", ""))
    if not application or applications.get(application) != password:
        refuse("E1313")
    return application


def number_of(subscriber: str, masked: Mapping[str, str], platform: str) -> str:
    """The number behind ``tel:8801...`` or behind an opaque id the platform gave out before."""
    if subscriber in masked:
        return masked[subscriber]
    if not subscriber.startswith("tel:"):
        refuse("E1325")
    number = subscriber.removeprefix("tel:")
    if not re.fullmatch(r"8801[3-9]\d{8}", number) or not number.startswith(PREFIXES[platform]):
        refuse("E1317")
    return number


def read_debit(
    data: JsonObject,
    platform: str,
    applications: Mapping[str, str],
    settings: JsonObject,
) -> Wish:
    application = credentials(data, applications)
    external, subscriber, instrument, amount = texts(
        data, "externalTrxId", "subscriberId", "paymentInstrumentName", "amount"
    )
    if len(external) > 32:  # noqa: PLR2004 - the contract's own number
        refuse(INVALID)
    number = number_of(subscriber, settings["masked"], platform)
    if instrument != settings[f"{platform}_instrument"]:
        refuse("E1336")
    if not re.fullmatch(r"\d{1,7}\.\d{2}", amount) or Decimal(amount) <= 0:
        refuse("E1605")
    if data.get("currency", data.get("Currency", "BDT")) != "BDT":
        refuse("E1380")
    least, most = settings["least_amount"], settings["most_amount"]
    if most and Decimal(amount) > Decimal(most):
        refuse("E1329")
    if least and Decimal(amount) < Decimal(least):
        refuse("E1330")
    return Wish(application, external, subscriber, number, amount)
