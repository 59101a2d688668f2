"""A code on its way into our tables, sealed as every code is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vouchers.ciphers import Secret, fingerprint, mask, seal_secret, words_of
from vouchers.models import Voucher


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code on its way into our tables."""

    secret: Secret
    serial_number: str | None = None
    expires_at: datetime | None = None
    partner_id: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What makes it unique: the code, or the link of goods that come as a link only (D34)."""
        return self.secret.code or self.secret.redemption_url

    def row(self, *, variant_id: int) -> Voucher:
        return Voucher(
            variant_id=variant_id,
            secret=seal_secret(self.secret),
            fingerprint=fingerprint(self.identity),
            words=words_of(self.identity),
            mask=mask(self.identity),
            serial_number=self.serial_number or None,
            expires_at=self.expires_at,
            partner_id=self.partner_id,
            metadata=dict(self.metadata),
        )
