"""Tokens of programmes: signed as all of the house's, and good for this door alone.

A token names the client, its scopes, and the secret it was got with: a secret that is taken back
ends its tokens at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.authentication import DOOR
from loyalty.models import ClientSecret, LoyaltyClient

PROGRAMME: Final = "programme"
_CLIENT: Final = "client"
_SECRET: Final = "key"  # noqa: S105 - the name of a claim
_SCOPE: Final = "scope"
BEARER_PARTS: Final = 2


@dataclass(frozen=True, slots=True)
class Grant:
    """A token as its client gets it."""

    token_id: str
    token: str
    scopes: tuple[str, ...]
    expires_at: int
    """Unix seconds, as the contract has it."""


def granted(secret: ClientSecret, scopes: tuple[str, ...]) -> Grant:
    """A token for the client of this secret."""
    token = AccessToken()
    token.set_exp(lifetime=settings.LOYALTY_TOKEN_LIFETIME)
    token[DOOR] = PROGRAMME
    token[_CLIENT] = secret.client.client_id
    token[_SECRET] = secret.pk
    token[_SCOPE] = " ".join(scopes)
    return Grant(str(token["jti"]), str(token), scopes, int(token["exp"]))


def good_secrets(*, now: datetime) -> Q:
    """Secrets that open the door now."""
    return Q(client__is_active=True) & (Q(good_until__isnull=True) | Q(good_until__gt=now))


class ProgrammeAuthentication(BaseAuthentication):
    """`request.user` is the client, `request.auth` the scopes of its token."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        return 'Bearer realm="programme"'

    def authenticate(self, request: Request) -> tuple[LoyaltyClient, frozenset[str]] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != BEARER_PARTS:
            raise _dead()
        try:
            token: Any = AccessToken(parts[1])  # type: ignore[arg-type] # its annotation is wrong
        except TokenError as exc:
            raise _dead() from exc
        if token.get(DOOR) != PROGRAMME:
            raise AuthenticationFailed("This token is not for this part of the API.")
        found = (
            ClientSecret.objects.filter(good_secrets(now=timezone.now()))
            .filter(pk=token.get(_SECRET), client__client_id=token.get(_CLIENT))
            .select_related("client__program")
            .first()
        )
        if found is None:
            raise _dead()
        return found.client, frozenset(str(token.get(_SCOPE, "")).split())


def _dead() -> AuthenticationFailed:
    return AuthenticationFailed("The token is not valid. Ask for a new one at /oauth/token.")


class ProgrammeBearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's documentation names the scheme."""

    target_class = "loyalty.authentication.ProgrammeAuthentication"
    name = "bearer-programme"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
