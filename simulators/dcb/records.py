"""What the platforms remember of a charge and of a subscriber, and the codes they answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulators.frame.http import JsonObject

BDAPPS: Final = "bdapps"
APPLINK: Final = "applink"
#: Which numbers a platform charges; a number of another operator is E1317.
PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    BDAPPS: ("88018", "88016"),
    APPLINK: ("88019", "88014"),
}

# States of a charge.
WAITING: Final = "waiting"  # Applink: the one-time password is on its way, nothing is charged
AUTHORISED: Final = "authorised"  # the password was right, the charge is at work
CHARGED: Final = "charged"
PARTIAL: Final = "partial"
REFUSED: Final = "refused"
OPEN: Final = frozenset({WAITING, AUTHORISED})

# What the subscriber does when asked; a person picks it on the phone's page.
STANCES: Final[Mapping[str, str]] = {"pay": "S1000", "fail": "E1378", "cancel": "E1406"}

TEXTS: Final[Mapping[str, str]] = {
    "S1000": "Request was successfully processed.",
    "P1003": "Payment is being processed. An OTP was sent to the subscriber.",
    "E1303": "IP address from which the request originated is not provisioned.",
    "E1308": "Permanent charging error.",
    "E1309": "Charging is not allowed for this service.",
    "E1312": "Request is invalid.",
    "E1313": "Authentication failed. No such active application or wrong password.",
    "E1317": "The subscriber number is not valid.",
    "E1318": "Transactions per second limit exceeded.",
    "E1319": "Transactions per day limit exceeded.",
    "E1325": "Format of the address is invalid.",
    "E1326": "Insufficient balance.",
    "E1328": "Charging operation is not allowed.",
    "E1329": "Amount is above the allowed limit.",
    "E1330": "Amount is below the allowed limit.",
    "E1336": "Payment instrument is not allowed.",
    "E1337": "Duplicate request.",
    "E1342": "The number is blacklisted.",
    "E1343": "The number is not white listed.",
    "E1378": "Insufficient balance.",
    "E1379": "Transaction is already completed.",
    "E1380": "Currency is not supported.",
    "E1404": "Charging failed.",
    "E1405": "The consent timed out.",
    "E1406": "The subscriber refused the charge.",
    "E1601": "System experienced an unexpected error.",
    "E1605": "Amount format is invalid.",
    "E1850": "The OTP is wrong.",
    "E1851": "The OTP has expired.",
    "E1852": "The OTP was used already.",
    "E1853": "Too many OTP attempts.",
    "E1855": "The reference number is unknown.",
    "E1856": "The OTP request is invalid.",
}


@dataclass
class Charge:
    platform: str
    application_id: str
    external: str  # the merchant's externalTrxId
    internal: str  # the platform's own
    subscriber: str  # as it was sent: tel:... or a masked id
    number: str
    amount: str
    created_at: float
    state: str = WAITING
    code: str = ""
    paid_amount: str = ""
    currency: str = "BDT"
    changed_at: float = 0.0
    charges: int = 0
    asked: int = 0  # how often this id was sent
    correlator: str = ""
    otp: str = ""
    otp_until: float = 0.0
    otp_tries: int = 0


@dataclass
class Subscriber:
    number: str
    balance: str = "5000.00"
    stance: str = "pay"
    messages: list[JsonObject] = field(default_factory=list)


def charge_facts(charge: Charge) -> dict[str, str]:
    """What a fault's ``match`` may name."""
    return {
        "reference": charge.external,
        "amount": charge.amount,
        "subscriber": charge.subscriber,
        "number": charge.number,
        "platform": charge.platform,
    }
