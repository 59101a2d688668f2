"""Correlation ids in and out of every HTTP answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from core import correlation
from core.api.errors import is_api, plain_error
from core.logging import get_logger

log = get_logger(__name__)

REFUSALS: Final = frozenset({400, 403, 404, 405, 409, 413, 415, 422})


class CorrelationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(correlation.HEADER)
        with correlation.correlated(correlation.accepted(offered)) as correlation_id:
            response = self.get_response(request)
        response[correlation.HEADER] = correlation_id
        return response


class RefusalsMiddleware:
    """What was refused is an event: rights as a warning (ASVS 16.3.2), bad input and the rest for
    who looks for a pattern (16.3.3). The route is named, never what was sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        status = response.status_code
        if status in REFUSALS:
            who = getattr(getattr(request, "user", None), "pk", None)
            route = request.resolver_match.route if request.resolver_match else ""
            named = {"user_id": who, "method": request.method, "route": route}
            if status == HTTPStatus.FORBIDDEN:
                log.warning("rights.refused", **named)
            else:
                log.info("request.refused", status=status, **named)
        return response


class PlainHttpMiddleware:
    """A client of the API that comes without TLS is refused, not sent on: its token was readable on
    the way, and a redirect would hide that (ASVS 4.1.2). Pages are sent on, by Django's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and _is_client(request):
            return plain_error(HTTPStatus.FORBIDDEN, "Use https.")
        return self.get_response(request)


def _is_client(request: HttpRequest) -> bool:
    if request.path in settings.INSIDE_PATHS:
        return False
    return is_api(request) or "Authorization" in request.headers


class EnvelopeMiddleware:
    """A refusal of the API that no view of ours shaped (a verb, a form's token) is shaped here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_api(request):  # codes and money: for nobody between us and who asked
            response.setdefault("Cache-Control", "no-store")
        kind = response.get("Content-Type", "")
        if response.status_code < 400 or not is_api(request) or "json" in kind:  # noqa: PLR2004
            return response
        status = HTTPStatus(response.status_code)
        shaped = plain_error(status, status.phrase)
        shaped["Cache-Control"] = response["Cache-Control"]
        if "Allow" in response:
            shaped["Allow"] = response["Allow"]
        return shaped


class ContentSecurityPolicyMiddleware:
    """Nothing runs or loads on our pages but what we serve ourselves."""

    POLICY = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; frame-src 'self'"
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", self.POLICY)
        return response
