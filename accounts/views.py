"""The doors to an account; what a customer does before and after signing in."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.authentication import ADMIN, CLIENT
from accounts.models import OtpPurpose, User
from accounts.serializers import (
    ExistsDataSerializer,
    MsisdnSerializer,
    OtpSentDataSerializer,
    ProfileChangeSerializer,
    ProfileDataSerializer,
    ProofDataSerializer,
    RefreshSerializer,
    ResetPasswordSerializer,
    SessionDataSerializer,
    SignInSerializer,
    SignUpSerializer,
    StaffSessionDataSerializer,
    StaffSignInSerializer,
    TokensDataSerializer,
    VerifyOtpSerializer,
    answers,
    example,
    profile_data,
    session_data,
    staff_session_data,
    tokens_data,
)
from core.api.envelope import ok
from core.limits import client_address

USER = {"id": 7, "msisdn": "8801712345678", "name": "Rahim Uddin", "email": "rahim@example.com"}
TOKENS = {"accessToken": "eyJhbGciOi...", "refreshToken": "eyJhbGciOi..."}
OTP_SENT = {
    "expiresIn": int(services.OTP_LIFETIME.total_seconds()),
    "resendIn": services.RESEND_SECONDS,
}
PROOF_SECONDS = int(services.PROOF_LIFETIME.total_seconds())
REFUSALS = (400, 415, 429, 503)


def body_of(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    read = shape(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def sent(value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample("Request", value=value, request_only=True)


@method_decorator(never_cache, name="dispatch")
class PublicView(APIView):
    """No token is asked for, and a stale one that is sent along disturbs nothing.

    Answers hold tokens: no cache on the way may keep them.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)


class UserExistView(PublicView):
    @extend_schema(
        operation_id="userExist",
        tags=["Accounts"],
        summary="Does this number have an account?",
        description="The first step of a registration. Numbers may be written as people type "
        "them: `01712345678`, `+880 1712-345678`, `8801712345678`.",
        request=MsisdnSerializer,
        responses=answers("UserExist", ExistsDataSerializer(), *REFUSALS),
        examples=[sent({"msisdn": "8801712345678"}), example("Free number", {"exists": False})],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, MsisdnSerializer)
        return ok({"exists": services.account_exists(**body, address=client_address(request))})


class SendOtpView(PublicView):
    @extend_schema(
        operation_id="sendOtp",
        tags=["Accounts"],
        summary="Send a one-time password to a number",
        description="Six digits, good for five minutes and five tries. A newer one replaces it. "
        "One message in 30 seconds, 10 an hour and 20 a day for each number; 60 an hour from an "
        "address.",
        request=MsisdnSerializer,
        responses=answers("OtpSent", OtpSentDataSerializer(), *REFUSALS, 502),
        examples=[sent({"msisdn": "01712345678"}), example("Sent", OTP_SENT, "OTP sent")],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, MsisdnSerializer)
        services.send_otp(**body, purpose=OtpPurpose.SIGN_UP, address=client_address(request))
        return ok(OTP_SENT, "OTP sent")


class VerifyOtpView(PublicView):
    @extend_schema(
        operation_id="verifyOtp",
        tags=["Accounts"],
        summary="Prove a number by its one-time password",
        description="Answers a token for `POST /auth/sign-up`, good for 15 minutes. The same 400 "
        "is given for a wrong, an expired, a used and a too often tried code.",
        request=VerifyOtpSerializer,
        responses=answers("VerifyOtp", ProofDataSerializer(), *REFUSALS),
        examples=[
            sent({"msisdn": "8801712345678", "otp": "123456"}),
            example(
                "Proved", {"verificationToken": "Ijg4...", "expiresIn": PROOF_SECONDS}, "Verified"
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, VerifyOtpSerializer)
        token = services.prove_number(body["msisdn"], body["otp"], address=client_address(request))
        return ok({"verificationToken": token, "expiresIn": PROOF_SECONDS}, "Verified")


class SignUpView(PublicView):
    @extend_schema(
        operation_id="signUp",
        tags=["Accounts"],
        summary="Create an account",
        description="With the token of `POST /auth/verify-otp`. The answer signs the customer in.",
        request=SignUpSerializer,
        responses=answers("SignUp", SessionDataSerializer(), 400, 409, 415, status=201),
        examples=[
            sent({"verificationToken": "Ijg4...", "password": "a-long-one", "name": "Rahim Uddin"}),
            example("Created", {**TOKENS, "user": USER}, "Account created", status=201),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, SignUpSerializer)
        token, password = body.pop("verificationToken"), body.pop("password")
        session = services.sign_up(token, password, **body)
        return ok(session_data(session), "Account created", status=201)


class SignInView(PublicView):
    @extend_schema(
        operation_id="signIn",
        tags=["Accounts"],
        summary="Sign in as a customer",
        description="The access token goes into `Authorization: Bearer <token>`. Tries are "
        "limited per account and per address.",
        request=SignInSerializer,
        responses=answers("SignIn", SessionDataSerializer(), 400, 401, 415, 429),
        examples=[
            sent({"msisdn": "8801712345678", "password": "..."}),
            example("Signed in", {**TOKENS, "user": USER}, "Login successful"),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, SignInSerializer)
        session = services.sign_in(**body, address=client_address(request))
        return ok(session_data(session), "Login successful")


class RefreshView(PublicView):
    door = CLIENT

    @extend_schema(
        operation_id="refreshToken",
        tags=["Accounts"],
        summary="New tokens without credentials",
        description="The refresh token is used up: go on with the one in the answer. Two calls "
        "with the same one: the first wins, the other gets 401.",
        request=RefreshSerializer,
        responses=answers("RefreshToken", TokensDataSerializer(), 400, 401, 415),
        examples=[
            sent({"refreshToken": "eyJhbGciOi..."}),
            example("Renewed", TOKENS, "Token refreshed"),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, RefreshSerializer)
        session = services.renew(body["refreshToken"], door=self.door)
        return ok(tokens_data(session), "Token refreshed")


class SignOutView(PublicView):
    door = CLIENT

    @extend_schema(
        operation_id="signOut",
        tags=["Accounts"],
        summary="Sign out",
        description="Revokes the refresh token; the access token dies by its own short life. "
        "Always 200: a token that is no longer good is signed out already.",
        request=RefreshSerializer,
        responses=answers("SignOut", serializers.JSONField(allow_null=True), 400, 415),
        examples=[sent({"refreshToken": "eyJhbGciOi..."}), example("Out", None, "Signed out")],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, RefreshSerializer)
        services.sign_out(body["refreshToken"], door=self.door)
        return ok(None, "Signed out")


class ForgotPasswordView(PublicView):
    @extend_schema(
        operation_id="forgotPassword",
        tags=["Accounts"],
        summary="Ask for a new password",
        description="Sends a one-time password for `POST /auth/reset-password`. The answer and "
        "its time are the same whether the number has an account or not.",
        request=MsisdnSerializer,
        responses=answers("ForgotPassword", OtpSentDataSerializer(), *REFUSALS, 502),
        examples=[sent({"msisdn": "01712345678"}), example("Sent", OTP_SENT, "OTP sent")],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, MsisdnSerializer)
        services.send_otp(**body, purpose=OtpPurpose.RESET, address=client_address(request))
        return ok(OTP_SENT, "OTP sent")


class ResetPasswordView(PublicView):
    @extend_schema(
        operation_id="resetPassword",
        tags=["Accounts"],
        summary="Set a new password",
        description="With the code of `POST /auth/forgot-password`. Every token given before "
        "ends at once; sign in anew.",
        request=ResetPasswordSerializer,
        responses=answers("ResetPassword", serializers.JSONField(allow_null=True), 400, 415, 429),
        examples=[
            sent({"msisdn": "01712345678", "otp": "123456", "password": "a-new-long-one"}),
            example("Set", None, "Password changed"),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, ResetPasswordSerializer)
        services.reset_password(
            body["msisdn"], body["otp"], body["password"], address=client_address(request)
        )
        return ok(None, "Password changed")


@method_decorator(never_cache, name="dispatch")
class ProfileView(APIView):
    @extend_schema(
        operation_id="profileGet",
        tags=["Accounts"],
        summary="The customer's own account",
        description="Who is signed in, with the language of mails and labels.",
        responses=answers("Profile", ProfileDataSerializer(), 401),
        examples=[
            example(
                "Profile",
                {**USER, "language": "en", "createdAt": "2026-04-27T14:22:00.000Z"},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return ok(profile_data(_me(request)))

    @extend_schema(
        operation_id="profileChange",
        tags=["Accounts"],
        summary="Change name, e-mail or language",
        description="Only what is sent changes. The mobile number is the account and stays.",
        request=ProfileChangeSerializer,
        responses=answers("ProfileChanged", ProfileDataSerializer(), 400, 401, 415),
        examples=[
            sent({"name": "Rahim Uddin", "language": "bn"}),
            example(
                "Changed",
                {**USER, "language": "bn", "createdAt": "2026-04-27T14:22:00.000Z"},
                "Profile updated",
            ),
        ],
    )
    def patch(self, request: Request) -> Response:
        body = body_of(request, ProfileChangeSerializer)
        return ok(profile_data(services.change_profile(_me(request), body)), "Profile updated")


class StaffSignInView(PublicView):
    @extend_schema(
        operation_id="adminLogin",
        tags=["Staff"],
        summary="Sign in as staff",
        description="The token opens the operators' API (`/admin/...`) and nothing of the "
        "customers'. Tries share their limit with the admin's own sign-in page.",
        request=StaffSignInSerializer,
        responses=answers("StaffSignIn", StaffSessionDataSerializer(), 400, 401, 415, 429),
        examples=[
            sent({"email": "ops@bdvoucher.com", "password": "..."}),
            example(
                "Signed in",
                {
                    **TOKENS,
                    "user": {
                        "id": 2,
                        "msisdn": None,
                        "name": "Operator",
                        "email": "ops@bdvoucher.com",
                        "groups": ["operator"],
                    },
                },
                "Login successful",
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, StaffSignInSerializer)
        session = services.sign_in_staff(**body, address=client_address(request))
        return ok(staff_session_data(session), "Login successful")


@extend_schema_view(post=extend_schema(operation_id="adminRefreshToken", tags=["Staff"]))
class StaffRefreshView(RefreshView):
    door = ADMIN


@extend_schema_view(post=extend_schema(operation_id="adminSignOut", tags=["Staff"]))
class StaffSignOutView(SignOutView):
    door = ADMIN


def _me(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - IsAuthenticated has seen to it
    return request.user
