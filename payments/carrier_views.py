"""The page on which a payer of carrier billing names a number and types a password."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.errors import DomainError, RateLimited
from core.limits import client_address
from core.middleware import ContentSecurityPolicyMiddleware
from core.providers import Misconfigured
from payments.carrier import confirm, give_up, send_password
from payments.models import Payment
from payments.reading import asked, payment_of_page
from payments.returning import foreign_origin, way_back
from payments.wording import PAGE, PROBLEMS


@never_cache
@require_http_methods(["GET", "POST"])
def carrier_page(request: HttpRequest, token: str) -> HttpResponse:
    """Reached by `paymentGatewayUrl`; left for the result page once nothing is to be typed."""
    payment = payment_of_page(token)
    if payment is None:
        return HttpResponseRedirect(reverse("payment-return-unknown"))
    try:
        problem = _act(request, payment) if request.method == "POST" else None
        payment.refresh_from_db()
        return _shown(request, payment, problem)
    except Misconfigured:  # switched off meanwhile
        return HttpResponseRedirect(way_back(payment))


def _act(request: HttpRequest, payment: Payment) -> DomainError | None:
    now, address = timezone.now(), client_address(request)
    action = request.POST.get("action", "")
    calls: Mapping[str, Callable[[], None]] = {
        "send": lambda: send_password(
            payment.pk, request.POST.get("number", ""), address=address, now=now
        ),
        "confirm": lambda: confirm(
            payment.pk, request.POST.get("password", "").strip()[:12], address=address, now=now
        ),
        "cancel": lambda: give_up(payment.pk, now=now),
    }
    try:
        if action in calls:
            calls[action]()
    except DomainError as exc:
        return exc
    return None


def _shown(request: HttpRequest, payment: Payment, problem: DomainError | None) -> HttpResponse:
    seen = asked(payment)
    if seen.closed:
        return HttpResponseRedirect(way_back(payment))
    if request.method == "POST" and problem is None:
        return HttpResponseRedirect(request.path)  # a reload must not send again
    language = payment.order.language
    context: dict[str, Any] = {
        "seen": seen,
        "payment": payment,
        "order": payment.order,
        "words": PAGE[language],
        "language": language,
        "typed": request.POST.get("number", "")[:32],
        "problem": _words(problem, language) if problem else "",
    }
    status = problem.http_status if problem else 200
    response = render(request, "payments/carrier.html", context, status=status)
    if origin := foreign_origin(payment):  # browsers hold the end of a form's way to it as well
        policy = ContentSecurityPolicyMiddleware.POLICY
        response["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {origin}"
        )
    if isinstance(problem, RateLimited):
        response["Retry-After"] = str(problem.retry_after)
    return response


def _words(problem: DomainError, language: str) -> str:
    words = PROBLEMS[language]
    codes = [detail.code for detail in problem.details]
    return next((words[code] for code in [*codes, problem.code] if code in words), problem.message)
