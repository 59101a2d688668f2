"""Bearer tokens: which door a token was made for is written in it, and checked first."""

from typing import ClassVar, Final

from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import RefreshToken, Token

from accounts.models import User

DOOR: Final = "door"
CLIENT: Final = "client"
ADMIN: Final = "admin"


def tokens_for(user: User, *, door: str) -> tuple[str, str]:
    """An access and a refresh token for one door."""
    refresh = RefreshToken.for_user(user)
    refresh[DOOR] = door
    return str(refresh.access_token), str(refresh)


class _DoorAuthentication(JWTAuthentication):
    door: ClassVar[str]
    staff: ClassVar[bool]

    def get_user(self, validated_token: Token) -> User:
        if validated_token.get(DOOR) != self.door:
            raise InvalidToken("This token is not for this part of the API.")
        user = super().get_user(validated_token)
        if not isinstance(user, User) or user.is_staff is not self.staff:
            raise InvalidToken("This token is not for this part of the API.")
        return user


class CustomerAuthentication(_DoorAuthentication):
    door = CLIENT
    staff = False


class StaffAuthentication(_DoorAuthentication):
    door = ADMIN
    staff = True
