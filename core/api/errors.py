"""One handler shapes every error of the API (D2); nothing unexpected is dressed up."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from core.api.envelope import error_body
from core.errors import Detail, DomainError, RateLimited

CODES: Mapping[int, str] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    502: "BAD_GATEWAY",
    503: "UNAVAILABLE",
}
#: Where people are: the desk, what a gateway's page leads back to, and the links in our mails.
PAGES: Final = (
    "/admin/", "/payments/return", "/payments/carrier/", "/pay/", "/subscriptions/end/",
)  # fmt: skip


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer every expected error in the envelope; the rest goes on to be a 500."""
    if isinstance(exc, DomainError):
        response = Response(error_body(exc.code, exc.message, exc.details), status=exc.http_status)
        if isinstance(exc, RateLimited):
            response["Retry-After"] = str(exc.retry_after)
        return response
    if isinstance(exc, RequestDataTooBig):
        return Response(error_body(CODES[413], _("The request is too large.")), status=413)
    answer = drf_exception_handler(exc, dict(context))
    if answer is None:
        return None
    return _shaped(exc, answer)


def _shaped(exc: Exception, response: Response) -> Response:
    if isinstance(exc, ValidationError):
        details = list(field_errors(exc.detail))
        message = details[0].message if len(details) == 1 else _("Invalid input.")
        response.data = error_body("BAD_REQUEST", message, details)
        return response
    message = (
        str(exc.detail)
        if isinstance(exc, APIException)
        else HTTPStatus(response.status_code).phrase
    )
    response.data = error_body(CODES.get(response.status_code, "ERROR"), message)
    return response


def field_errors(errors: Any, path: str = "") -> Iterator[Detail]:
    """Flatten DRF's nested errors to `items.0.quantity` paths."""
    if isinstance(errors, dict):
        for name, inner in errors.items():
            here = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
            yield from field_errors(inner, here)
    elif isinstance(errors, list):
        for index, inner in enumerate(errors):
            nested = isinstance(inner, (dict, list))
            yield from field_errors(inner, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        yield Detail(path, str(getattr(errors, "code", "invalid")), str(errors))


def plain_error(status: int, message: str) -> JsonResponse:
    return JsonResponse(error_body(CODES.get(status, "ERROR"), message), status=status)


def is_api(request: HttpRequest) -> bool:
    """Whether a caller of this path expects JSON: everything but pages for people."""
    return not request.path.startswith(PAGES)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:  # noqa: ARG001
    return plain_error(404, _("There is nothing at this address."))


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:  # noqa: ARG001
    return plain_error(400, _("The request could not be read."))


def server_error(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    return plain_error(500, _("Something went wrong on our side. Please try again."))
