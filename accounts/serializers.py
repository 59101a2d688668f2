"""Bodies of the account endpoints."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.inputs import MAX_TYPED, PATTERN, msisdn_of
from accounts.models import User
from accounts.services import Session
from core.api.fields import StrictSerializer, TextField, instant

LANGUAGES = [("en", "English"), ("bn", "Bangla")]
MAX_PASSWORD = 128


@extend_schema_field(
    {"type": "string", "pattern": PATTERN, "maxLength": MAX_TYPED, "example": "8801712345678"}
)
class MsisdnField(TextField):
    """A mobile number of Bangladesh as people type it; kept as `8801XXXXXXXXX`."""

    default_error_messages = {"msisdn": "This is not a mobile number of Bangladesh."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_TYPED, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return msisdn_of(super().to_internal_value(data))
        except ValueError:
            self.fail("msisdn")


class MsisdnSerializer(StrictSerializer):
    msisdn = MsisdnField()


@extend_schema_field({"type": "string", "pattern": "^[0-9]{6}$"})
class OtpField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[RegexValidator(r"^[0-9]{6}\Z", "Six digits.")], **kwargs)


class PasswordField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_PASSWORD, trim_whitespace=False, **kwargs)


class VerifyOtpSerializer(StrictSerializer):
    msisdn = MsisdnField()
    otp = OtpField()


class SignUpSerializer(StrictSerializer):
    verificationToken = TextField(max_length=500, trim_whitespace=False)  # noqa: N815 - the API's spelling
    password = PasswordField(min_length=8)
    name = TextField(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    language = serializers.ChoiceField(LANGUAGES, required=False)


class SignInSerializer(StrictSerializer):
    msisdn = MsisdnField()
    password = PasswordField()


class StaffSignInSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    otp_code = TextField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="Of the authenticator app, or a recovery code; if a second factor is set up.",
    )


class RefreshSerializer(StrictSerializer):
    refreshToken = TextField(max_length=2000, trim_whitespace=False)  # noqa: N815


class ResetPasswordSerializer(StrictSerializer):
    msisdn = MsisdnField()
    otp = OtpField()
    password = PasswordField(min_length=8)


class ProfileChangeSerializer(StrictSerializer):
    name = TextField(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    language = serializers.ChoiceField(LANGUAGES, required=False)


class UserDataSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    msisdn = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)


class StaffDataSerializer(UserDataSerializer):
    groups = serializers.ListField(child=serializers.CharField())


class ProfileDataSerializer(UserDataSerializer):
    language = serializers.ChoiceField(LANGUAGES)
    createdAt = serializers.DateTimeField()  # noqa: N815


class SessionDataSerializer(serializers.Serializer[Any]):
    accessToken = serializers.CharField()  # noqa: N815
    refreshToken = serializers.CharField()  # noqa: N815
    user = UserDataSerializer()


class StaffSessionDataSerializer(SessionDataSerializer):
    user = StaffDataSerializer()


class TokensDataSerializer(serializers.Serializer[Any]):
    accessToken = serializers.CharField()  # noqa: N815
    refreshToken = serializers.CharField()  # noqa: N815


class ExistsDataSerializer(serializers.Serializer[Any]):
    exists = serializers.BooleanField()


class OtpSentDataSerializer(serializers.Serializer[Any]):
    expiresIn = serializers.IntegerField(help_text="Seconds the code is good for.")  # noqa: N815
    resendIn = serializers.IntegerField(  # noqa: N815
        help_text="Seconds until the number may be sent another code."
    )


class ProofDataSerializer(serializers.Serializer[Any]):
    verificationToken = serializers.CharField()  # noqa: N815
    expiresIn = serializers.IntegerField(help_text="Seconds it is good for.")  # noqa: N815


def tokens_data(session: Session) -> dict[str, Any]:
    return {"accessToken": session.access, "refreshToken": session.refresh}


def session_data(session: Session) -> dict[str, Any]:
    return {**tokens_data(session), "user": user_data(session.user)}


def staff_session_data(session: Session) -> dict[str, Any]:
    groups = sorted(session.user.groups.values_list("name", flat=True))
    return {**tokens_data(session), "user": {**user_data(session.user), "groups": groups}}


def user_data(user: User) -> dict[str, Any]:
    return {"id": user.pk, "msisdn": user.msisdn, "name": user.name, "email": user.email}


def profile_data(user: User) -> dict[str, Any]:
    more = {"language": user.language, "createdAt": instant(user.date_joined)}
    return {**user_data(user), **more}
