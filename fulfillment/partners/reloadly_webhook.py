"""Reloadly's webhook: signed over body and time (contract page reloadly, section 7).

The unit of the time is not documented: seconds or milliseconds since the epoch are told apart by
their size. The form of the body varies: the fields are looked for in `data` and beside it.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from django.conf import settings

from core.wire import plain_text
from fulfillment.partners.base import Hint
from fulfillment.partners.reloadly_answers import AT_WORK

#: Seconds a notice may be on its way, or our clocks apart.
MAX_AGE: Final = 300
_STAMP: Final = re.compile(r"[0-9]{9,14}")
_MILLISECONDS: Final = 10**11


@dataclass(frozen=True, slots=True)
class ReloadlyWebhook:
    secret: str = field(repr=False)

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.RELOADLY_WEBHOOK_SECRET)

    def is_genuine(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """The signature fits body and time, and the time is now."""
        stamp = (headers.get("X-Reloadly-Request-Timestamp") or "").strip()
        given = (headers.get("X-Reloadly-Signature") or "").strip().lower()
        signed = body + b":" + stamp.encode()
        good = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        if not self.secret or not hmac.compare_digest(given.encode(), good.encode()):
            return False
        if not _STAMP.fullmatch(stamp):
            return False
        moment = int(stamp) / 1000 if int(stamp) > _MILLISECONDS else int(stamp)
        return abs(now.timestamp() - moment) <= MAX_AGE

    def read(self, body: bytes) -> Hint | None:
        """`customIdentifier` is our reference."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        data = said.get("data")
        data = data if isinstance(data, dict) else said
        if not isinstance(data.get("customIdentifier"), str):
            return None
        status = plain_text(data.get("status"), 60)
        reference = plain_text(data["customIdentifier"], 150)
        return Hint(reference, status, undecided=status in AT_WORK)
