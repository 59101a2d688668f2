"""What every door of the programmes' API shares: token, scope, version, limit, one error body.

The contract is Ascenda's, so its refusals are not in the house's envelope: `{error: {code,
message}}` and nothing else (D23).
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from django.core.exceptions import RequestDataTooBig
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler as drf_exception_handler

from core.api.errors import field_errors
from core.api.operations import Operation
from core.api.schema import WHY
from core.errors import DomainError, RateLimited
from core.logging import get_logger
from loyalty.authentication import ProgrammeAuthentication
from loyalty.models import LoyaltyClient
from loyalty.refusals import (
    CODES,
    INVALID,
    PLAIN,
    STATUS,
    UNEXPECTED,
    UNEXPECTED_ERROR,
    ContractRefusal,
    invalid,
)
from loyalty.services import count_call

log = get_logger(__name__)

VERSION_HEADER: Final = "X-Ascenda-Version"
LEAST_VERSION: Final = (1, 3)
TAG: Final = "Loyalty programmes"
_VERSION: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.[0-9]{1,4})?")


class ProgrammeErrorBodySerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(CODES, help_text="The contract's code; ours where it has none.")
    message = serializers.CharField(help_text="For people, in the contract's own words.")


class ProgrammeErrorSerializer(serializers.Serializer[Any]):
    """Every refusal of the programmes' API looks like this."""

    error = ProgrammeErrorBodySerializer()


def error_body(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def refused(code: str, message: str, *, status: int = 0, name: str = "") -> OpenApiExample:
    """A refusal as documented."""
    http = status or STATUS[code]
    return OpenApiExample(
        name or f"{code} {message}",
        value=error_body(code, message),
        response_only=True,
        status_codes=[str(http)],
    )


def shown(name: str, value: Any, *, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


def answers(serializer: Any, *refusals: int, status: int = 200) -> dict[int, Any]:
    """The `responses` of an operation of this API."""
    why = WHY | {
        400: "Invalid parameters.",
        404: "There is no such thing.",
        422: "Processing failed; the same request fails again.",
        500: "Unexpected; the outcome is not known: read the order by its reference.",
    }
    codes = {code: OpenApiResponse(ProgrammeErrorSerializer, why[code]) for code in refusals}
    return {status: OpenApiResponse(serializer, "Done."), **codes}


class ProgrammeOperation(Operation):
    """Refusals in the contract's body, also those that follow from a view by itself."""

    refused = ProgrammeErrorSerializer
    usual = {
        status: refused(code, message, status=status)
        for status, code, message in (
            (400, INVALID, "nickname: Unknown field."),
            (401, "UNAUTHORIZED", "The token is not valid. Ask for a new one at /oauth/token."),
            (403, "FORBIDDEN", "The token lacks the scope orders:write."),
            (404, PLAIN[404], "Order not found."),
            (409, "CONFLICT", "A request with this Idempotency-Key is still running."),
            (413, "PAYLOAD_TOO_LARGE", "The request is too large."),
            (415, "UNSUPPORTED_MEDIA_TYPE", 'Unsupported media type "text/plain" in request.'),
            (422, "UNPROCESSABLE", "This Idempotency-Key was used for another request."),
            (429, "RATE_LIMITED", "Too many tries. Please try again later."),
            (500, UNEXPECTED, UNEXPECTED_ERROR),
        )
    }


VERSION: Final = OpenApiParameter(
    VERSION_HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="Version of the contract: 1.3 or later.",
    examples=[OpenApiExample("Version", value="1.3")],
)


def caller(request: Request) -> LoyaltyClient:
    """Who calls: every view with a token has a client, and nobody else gets in."""
    client: Any = request.user
    return cast("LoyaltyClient", client)


class HasScope(BasePermission):
    """A token of the client's own with the view's scope for this verb."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, frozenset):
            return False
        needed: Mapping[str, str] = getattr(view, "scopes", {})
        scope = needed.get(request.method or "")
        self.message = f"The token lacks the scope {scope}."
        return scope is None or scope in request.auth


@method_decorator(never_cache, name="dispatch")
class ContractView(APIView):
    """A view whose refusals are the contract's, unexpected errors included."""

    schema = ProgrammeOperation()

    def get_exception_handler(self) -> Any:
        return contract_error


class ProgrammeView(ContractView):
    """For clients with a token; each call is counted."""

    authentication_classes = (ProgrammeAuthentication,)
    permission_classes = (HasScope,)
    scopes: ClassVar[Mapping[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        count_call(caller(request))
        if request.method in self.scopes:
            check_version(request.headers.get(VERSION_HEADER))


def check_version(text: str | None) -> None:
    """Refuse what speaks another contract than the one we know (contract page, section 1)."""
    found = _VERSION.fullmatch(text or "")
    if found is None or (int(found[1]), int(found[2])) < LEAST_VERSION:
        raise invalid(f"{VERSION_HEADER} must be 1.3 or later")


def contract_error(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Every error in the one body; what nobody expected is NN0001 and in our log."""
    if isinstance(exc, ContractRefusal):
        return Response(error_body(exc.code, exc.message), status=STATUS[exc.code])
    if isinstance(exc, DomainError):
        answer = Response(
            error_body(PLAIN.get(exc.http_status, INVALID), exc.message), status=exc.http_status
        )
        if isinstance(exc, RateLimited):
            answer["Retry-After"] = str(exc.retry_after)
        return answer
    if isinstance(exc, RequestDataTooBig):
        return Response(error_body(PLAIN[413], "The request is too large."), status=413)
    shaped = drf_exception_handler(exc, dict(context))
    if shaped is None:
        view = type(context.get("view")).__name__
        log.error("loyalty.unexpected", view=view, exc_info=exc)
        return Response(error_body(UNEXPECTED, UNEXPECTED_ERROR), status=500)
    shaped.data = error_body(PLAIN.get(shaped.status_code, INVALID), _words(exc))
    return shaped


def _words(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        told = [f"{each.field}: {each.message}".lstrip(": ") for each in field_errors(exc.detail)]
        return "; ".join(told)[:1000]
    return str(exc.detail) if isinstance(exc, APIException) else "Not found."
