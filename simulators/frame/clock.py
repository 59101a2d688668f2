"""A clock that can be moved on, so that an hour's token or a refund window can run out."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

DHAKA: Final = timezone(timedelta(hours=6), "+06")


class Clock:
    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


def dhaka(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, DHAKA)


def utc(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def dhaka_text(stamp: float) -> str:
    return dhaka(stamp).strftime("%Y-%m-%d %H:%M:%S")


def iso_utc(stamp: float) -> str:
    return utc(stamp).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
