"""The two pages that belong to no app."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Nothing is sold here by hand: developers find the API's pages."""
    return HttpResponseRedirect(reverse("docs"))


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """This process answers; nothing more is promised."""
    return JsonResponse({"status": "ok"})
