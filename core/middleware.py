"""Correlation ids in and out of every HTTP answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import correlation


class CorrelationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(correlation.HEADER)
        with correlation.correlated(correlation.accepted(offered)) as correlation_id:
            response = self.get_response(request)
        response[correlation.HEADER] = correlation_id
        return response


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
