"""Bearer tokens: which door a token was made for is written in it, and checked first.

A token also carries a digest of the password it was given for: a new password ends every
token of the account at once, at both doors.
"""

from typing import Any, ClassVar, Final

from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken, Token

from accounts.models import User

DOOR: Final = "door"
CLIENT: Final = "client"
ADMIN: Final = "admin"
_PASSWORD: Final = "pwd"  # noqa: S105 - the name of a claim


class _Unlisted(RefreshToken):
    """The library would keep a copy of every live token in a table; ours are known once revoked."""

    @classmethod
    def for_user(cls, user: Any) -> "_Unlisted":
        token: _Unlisted = super(BlacklistMixin, cls).for_user(user)
        return token


def tokens_for(user: User, *, door: str) -> tuple[str, str]:
    """An access and a refresh token for one door."""
    refresh = _Unlisted.for_user(user)
    refresh[DOOR] = door
    refresh[_PASSWORD] = _password_mark(user)
    return str(refresh.access_token), str(refresh)


def opens(token: Token, user: User, *, door: str) -> bool:
    """Whether a token of good signature and time opens this door for this user now."""
    return (
        token.get(DOOR) == door
        and user.is_active
        and user.is_staff is (door == ADMIN)
        and constant_time_compare(str(token.get(_PASSWORD, "")), _password_mark(user))
    )


def _password_mark(user: User) -> str:
    return user.get_session_auth_hash()[:16]


class _DoorAuthentication(JWTAuthentication):
    door: ClassVar[str]

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]
        user = super().get_user(validated_token)
        if not isinstance(user, User) or not opens(validated_token, user, door=self.door):
            raise InvalidToken("This token is not for this part of the API, or no longer valid.")
        return user


class CustomerAuthentication(_DoorAuthentication):
    door = CLIENT


class StaffAuthentication(_DoorAuthentication):
    door = ADMIN


class _Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's documentation names the two schemes (contract page bdvoucher, section 2)."""

    target_class: Any = None

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ClientBearer(_Bearer):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.CustomerAuthentication"
    name = "bearer-client"


class AdminBearer(_Bearer):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.StaffAuthentication"
    name = "bearer-admin"
