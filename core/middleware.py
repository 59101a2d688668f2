"""Correlation ids in and out of every HTTP answer."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from core import correlation
from core.api.errors import is_api, plain_error
from core.logging import get_logger

log = get_logger(__name__)


class CorrelationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(correlation.HEADER)
        with correlation.correlated(correlation.accepted(offered)) as correlation_id:
            response = self.get_response(request)
        response[correlation.HEADER] = correlation_id
        return response


class RefusedRightsMiddleware:
    """Somebody we know asked for what they have no right to: an event of its own (ASVS 16.3.2)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN:
            who = getattr(getattr(request, "user", None), "pk", None)
            route = request.resolver_match.route if request.resolver_match else ""
            log.warning("rights.refused", user_id=who, method=request.method, route=route)
        return response


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
