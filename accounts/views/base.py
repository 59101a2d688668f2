"""What all these doors share."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import services

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


@method_decorator(never_cache, name="dispatch")
class PublicView(APIView):
    """No token is asked for, and a stale one that is sent along disturbs nothing.

    Answers hold tokens: no cache on the way may keep them.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
