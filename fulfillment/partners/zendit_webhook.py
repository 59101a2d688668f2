"""Zendit's webhook: a purchase's object, under an own header (contract page zendit, section 6).

There is no signature; header and secret are the ones set in the console. The senders' addresses
are unverified there and not compared here: the secret is what counts.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from django.conf import settings

from core.wire import plain_text
from fulfillment.partners.base import Hint

#: Notices of these states come as well; they say nothing that decides.
UNDECIDED: Final = frozenset({"ACCEPTED", "PENDING", "AUTHORIZED", "IN_PROGRESS"})


@dataclass(frozen=True, slots=True)
class ZenditWebhook:
    header: str
    secret: str = field(repr=False)

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.ZENDIT_WEBHOOK_HEADER, settings.ZENDIT_WEBHOOK_SECRET)

    def is_genuine(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:  # noqa: ARG002
        """The header's value is the secret; without a secret nothing is genuine."""
        given = headers.get(self.header) or ""
        return secrets.compare_digest(given.encode(), self.secret.encode()) and bool(self.secret)

    def read(self, body: bytes) -> Hint | None:
        """`transactionId` is our reference."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict) or not isinstance(said.get("transactionId"), str):
            return None
        status = plain_text(said.get("status"), 60)
        reference = plain_text(said["transactionId"], 150)
        return Hint(reference, status, undecided=status in UNDECIDED)
