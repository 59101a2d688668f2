"""Signing in, staying in, signing out: customers, and staff at a door of their own."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.authentication import ADMIN, CLIENT
from accounts.serializers import (
    RefreshSerializer,
    SessionDataSerializer,
    SignInSerializer,
    StaffSessionDataSerializer,
    StaffSignInSerializer,
    TokensDataSerializer,
    session_data,
    staff_session_data,
    tokens_data,
)
from accounts.views.base import TOKENS, USER, PublicView, body_of
from core.api.envelope import ok
from core.api.schema import NothingField, answers, example, sent
from core.limits import client_address


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
        responses=answers("SignOut", NothingField(), 400, 415),
        examples=[sent({"refreshToken": "eyJhbGciOi..."}), example("Out", None, "Signed out")],
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, RefreshSerializer)
        services.sign_out(body["refreshToken"], door=self.door)
        return ok(None, "Signed out")


class StaffSignInView(PublicView):
    @extend_schema(
        operation_id="adminLogin",
        tags=["Staff"],
        summary="Sign in as staff",
        description="The token opens the operators' API (`/admin/...`) and nothing of the "
        "customers'. Tries share their limit with the admin's own sign-in page. Who has set up a "
        "second factor sends its code as `otp_code`; without it the answer is 401 and names "
        "the field.",
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
