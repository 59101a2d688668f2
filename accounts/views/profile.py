"""The customer's own account."""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.models import User
from accounts.serializers import ProfileChangeSerializer, ProfileDataSerializer, profile_data
from accounts.views.base import USER, body_of
from core.api.envelope import ok
from core.api.schema import answers, example, sent


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


def _me(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - IsAuthenticated has seen to it
    return request.user
