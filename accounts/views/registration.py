"""From a number to an account, and to a new password."""

from django.utils.translation import get_language_from_request
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import OtpPurpose
from accounts.serializers import (
    ExistsDataSerializer,
    MsisdnSerializer,
    OtpSentDataSerializer,
    ProofDataSerializer,
    ResetPasswordSerializer,
    SessionDataSerializer,
    SignUpSerializer,
    VerifyOtpSerializer,
    session_data,
)
from accounts.views.base import (
    OTP_SENT,
    PROOF_SECONDS,
    REFUSALS,
    TOKENS,
    USER,
    PublicView,
    body_of,
)
from core.api.envelope import ok
from core.api.schema import NothingField, answers, example, sent
from core.limits import client_address


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
        body.setdefault("language", get_language_from_request(request))
        token, password = body.pop("verificationToken"), body.pop("password")
        session = services.sign_up(token, password, **body)
        return ok(session_data(session), "Account created", status=201)


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
        responses=answers("ResetPassword", NothingField(), 400, 415, 429),
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
