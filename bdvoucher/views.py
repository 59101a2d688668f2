"""The pages that belong to no app."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView
from rest_framework.request import Request
from rest_framework.response import Response

from bdvoucher import health, metrics
from core.api.errors import plain_error
from core.middleware import ContentSecurityPolicyMiddleware


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Nothing is sold here by hand: developers find the API's pages."""
    return HttpResponseRedirect(reverse("docs"))


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """This process answers; nothing more is promised."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part by name. 503 only where no request can be served; with `?all` for any part.

    A load balancer must not take the web away because a worker died: payments still come.
    """
    parts = health.look()
    missing = {name for name, part in parts.items() if not part.ok}
    unready = missing if "all" in request.GET else missing & health.NEEDED
    word = "unavailable" if unready else "degraded" if missing else "ok"
    said = {name: {"ok": part.ok, **part.detail} for name, part in parts.items()}
    return JsonResponse({"status": word, "parts": said}, status=503 if unready else 200)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with `METRICS_TOKEN` as its bearer token; for nobody where none is set."""
    token: str = settings.METRICS_TOKEN
    shown = request.headers.get("Authorization", "")
    if not token or not constant_time_compare(shown, f"Bearer {token}"):
        return plain_error(401, "These figures are for who has the token.")
    return HttpResponse(metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


#: One picture of ReDoc's lies on a server of others, which our pages don't load from.
FOREIGN_LOGO: Final = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
NO_PICTURE: Final = b"data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@cache
def _redoc() -> bytes:
    packed = files("drf_spectacular_sidecar").joinpath(
        "static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
    )
    return packed.read_bytes().replace(FOREIGN_LOGO, NO_PICTURE)


@require_safe
@gzip_page
@cache_control(public=True, max_age=86_400)
def redoc_bundle(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """ReDoc as it is shipped, but for the picture from elsewhere."""
    return HttpResponse(_redoc(), content_type="text/javascript; charset=utf-8")


class RedocView(SpectacularRedocView):
    """ReDoc writes its styles as it draws and searches in a worker: allowed here, nowhere else."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        policy = ContentSecurityPolicyMiddleware.POLICY
        loose = policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        response["Content-Security-Policy"] = f"{loose}; worker-src 'self' blob:"
        return response
