"""The door for partners' notices: size, pace and secret are checked here, nothing is believed."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.api.errors import plain_error
from core.errors import RateLimited
from core.limits import client_address, count_and_check
from fulfillment.services import receive_hint

MAX_BYTES: Final = 100_000
PER_MINUTE: Final = 600


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def webhook(request: HttpRequest, partner: str) -> HttpResponse:
    """A notice of a partner. `HEAD` is how Zendit's console checks the address."""
    if request.method == "HEAD":
        return HttpResponse()
    if _size(request) > MAX_BYTES:
        return plain_error(413, "Too large.")
    try:
        count_and_check(
            "partner-webhook",
            f"{partner} {client_address(request)}",
            PER_MINUTE,
            timedelta(minutes=1),
            open_when_down=True,  # the worst that a flood can do is to ask
        )
    except RateLimited as exc:
        refusal = plain_error(429, exc.message)
        refusal.headers["Retry-After"] = str(exc.retry_after)
        return refusal
    heard = receive_hint(partner, headers=request.headers, body=request.body, now=timezone.now())
    if not heard:
        return plain_error(401, "This notice is not from who it says it is.")
    return JsonResponse({"success": True, "message": "Received", "data": None})


def _size(request: HttpRequest) -> int:
    """As announced: a body is not read before that is known to be little."""
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(announced) if announced.isdecimal() else MAX_BYTES + 1
