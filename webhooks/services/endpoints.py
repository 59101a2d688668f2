"""An endpoint's secrets: shown once, sealed, changed without a gap."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from core.logging import get_logger
from webhooks.models import Endpoint
from webhooks.signing import new_secret, sealed

log = get_logger(__name__)

#: How long notices carry both signatures after a change.
OVERLAP: Final = timedelta(hours=24)


def first_secret(endpoint: Endpoint, *, value: str = "") -> str:
    """Give a new endpoint its secret before it is saved; the only time it is seen in the clear."""
    secret = value or new_secret()
    endpoint.secret = sealed(endpoint.public_id, secret)
    return secret


@transaction.atomic
def rotate_secret(endpoint_id: int, *, now: datetime) -> str:
    """A new secret signs from now on; for a day the former one signs beside it."""
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    secret = new_secret()
    row.former_secret, row.former_until = row.secret, now + OVERLAP
    row.secret = sealed(row.public_id, secret)
    row.save(update_fields=["secret", "former_secret", "former_until"])
    log.info("webhook.secret_changed", endpoint=endpoint_id)
    return secret


@transaction.atomic
def end_former_secret(endpoint_id: int) -> bool:
    """The former secret signs no longer; whether there was one."""
    row = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    if row.former_until is None:
        return False
    row.former_secret, row.former_until = b"", None
    row.save(update_fields=["former_secret", "former_until"])
    return True
