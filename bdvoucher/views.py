"""The pages that belong to no app."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView
from rest_framework.request import Request
from rest_framework.response import Response

from core.middleware import ContentSecurityPolicyMiddleware


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Nothing is sold here by hand: developers find the API's pages."""
    return HttpResponseRedirect(reverse("docs"))


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """This process answers; nothing more is promised."""
    return JsonResponse({"status": "ok"})


class RedocView(SpectacularRedocView):
    """ReDoc writes its styles as it draws and searches in a worker: allowed here, nowhere else."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        policy = ContentSecurityPolicyMiddleware.POLICY
        loose = policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        response["Content-Security-Policy"] = f"{loose}; worker-src 'self' blob:"
        return response
