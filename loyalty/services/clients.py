"""Clients and their secrets: made once, shown once, changed over without a gap."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone

from core.limits import count_and_check, forget
from core.logging import get_logger
from loyalty.authentication import Grant, good_secrets, granted
from loyalty.models import ClientSecret, LoyaltyClient, LoyaltyProgram
from loyalty.refusals import invalid

log = get_logger(__name__)

CHANGE_OVER: Final = timedelta(hours=24)
MINUTE: Final = timedelta(minutes=1)
HINT: Final = 4
TOKENS: Final = "programme-token"


class WrongCredentials(Exception):  # noqa: N818 - what happened
    """Who the client is was not shown; what exactly is wrong is not said."""


def new_client_id() -> str:
    return f"bdv_{secrets.token_hex(12)}"


def make_client(
    program: LoyaltyProgram, name: str, scopes: Sequence[str], *, now: datetime
) -> tuple[LoyaltyClient, str]:
    """A client with its first secret, which is not kept in the clear."""
    with transaction.atomic():
        client = LoyaltyClient.objects.create(
            program=program, name=name, client_id=new_client_id(), scopes=list(scopes)
        )
        return client, new_secret(client, now=now)


def new_secret(client: LoyaltyClient, *, now: datetime, value: str = "") -> str:
    """Make a secret; the former ones stay good for a day, so that the client can change over."""
    value = value or secrets.token_urlsafe(32)
    with transaction.atomic():
        LoyaltyClient.objects.select_for_update().get(pk=client.pk)
        former = ClientSecret.objects.filter(client=client, good_until=None)
        former.update(good_until=now + CHANGE_OVER)
        ClientSecret.objects.create(
            client=client, hashed=make_password(value), hint=value[-HINT:], created_at=now
        )
    log.info("loyalty.secret_made", client=client.client_id)
    return value


def end_former_secrets(client: LoyaltyClient, *, now: datetime) -> int:
    """Take back every secret but the newest, and with them their tokens; how many there were."""
    newest = ClientSecret.objects.filter(client=client).order_by("-pk").first()
    if newest is None:
        return 0
    rows = ClientSecret.objects.filter(good_secrets(now=now), client=client)
    return rows.exclude(pk=newest.pk).update(good_until=now)


def issue_token(client_id: str, secret: str, scope: str | None, *, address: str) -> Grant:
    """A token for the client that shows its secret (OAuth 2.0, client credentials).

    Raises:
        WrongCredentials: no such client, or no secret of it that is good now.
        ContractRefusal: a scope was asked for that the client does not have.
        RateLimited: too many tries for this client from this address.
    """
    who = f"{client_id} {address}"
    count_and_check(TOKENS, who, settings.LOYALTY_TOKEN_TRIES, MINUTE, open_when_down=True)
    now = timezone.now()
    rows = ClientSecret.objects.filter(good_secrets(now=now), client__client_id=client_id)
    found = next((row for row in rows.select_related("client")
                  if check_password(secret, row.hashed)), None)  # fmt: skip
    if found is None:
        raise WrongCredentials
    wanted = tuple((scope or "").split()) or tuple(found.client.scopes)
    if not set(wanted) <= set(found.client.scopes):
        raise invalid("scope is not granted to this client")
    forget(TOKENS, who)
    return granted(found, wanted)


def count_call(client: LoyaltyClient) -> None:
    """Count a call of a client.

    Raises:
        RateLimited: the client has made as many as it may in this minute.
    """
    limit = client.rate_limit or settings.LOYALTY_RATE_LIMIT
    count_and_check("programme", client.client_id, limit, MINUTE, open_when_down=True)
