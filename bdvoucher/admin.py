"""The operators' site and its landing page; each app registers its own pages on it."""

from collections.abc import Callable, Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone

from accounts.models import User
from accounts.services import has_second_factor, note_staff_action
from bdvoucher.dashboard import dashboard
from bdvoucher.second_factor import second_factor_page
from core.limits import client_address
from orders.selectors import DHAKA

#: In the order in which an operator needs them.
APPS: Final = (
    "orders",
    "payments",
    "books",
    "fulfillment",
    "notifications",
    "webhooks",
    "vouchers",
    "catalog",
    "loyalty",
    "accounts",
    "auth",
)
HIDDEN: Final = frozenset({"token_blacklist"})
"""Its pages would show tokens."""
FREE: Final = frozenset({"second_factor", "logout", "jsi18n"})
"""Pages for who has yet to set up a second factor."""
UNTOLD: Final = frozenset({"orders_order_find"})
"""By POST, but nothing is done by it."""


class ShopAdminSite(AdminSite):
    site_header = "BD Voucher"
    site_title = "BD Voucher"
    index_title = "Operations"
    site_url = None
    enable_nav_sidebar = True
    empty_value_display = "-"

    def register(self, model_or_iterable: Any, *args: Any, **options: Any) -> None:
        models = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        shown = [model for model in models if model._meta.app_label not in HIDDEN]  # noqa: SLF001
        super().register(shown, *args, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_watched(_in_dhaka(view)), cacheable)

    def get_urls(self) -> list[Any]:
        page = self.admin_view(
            lambda request: second_factor_page(request, self.each_context(request))
        )
        return [path("second-factor/", page, name="second_factor"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().login(request, extra_context)
        if request.method == "POST":
            entered = response.status_code == HTTPStatus.FOUND and request.user.is_authenticated
            user = cast("User", request.user) if entered else None
            _note(request, user, "sign_in", response.status_code)
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        place = {label: number for number, label in enumerate(APPS)}
        return sorted(apps, key=lambda app: place.get(app["app_label"], len(APPS)))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """What needs a person now, and how the day goes."""
        figures = {}
        if cast("User", request.user).has_perm("orders.view_order"):
            figures = dashboard(now=timezone.now())
        return super().index(request, figures | (extra_context or {}))


def _watched(view: Callable[..., Any]) -> Callable[..., Any]:
    """Who must have a second factor gets one first; and every act is written down."""

    @wraps(view)
    def seen(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user, match = cast("User", request.user), request.resolver_match
        name = match.url_name if match and match.url_name else ""
        free = name in FREE or not settings.SECOND_FACTOR_REQUIRED
        if not free and not has_second_factor(user):
            messages.warning(request, "Set up your second factor before you go on.")
            return HttpResponseRedirect(reverse("admin:second_factor"))
        response: HttpResponse = view(request, *args, **kwargs)
        if request.method == "POST" and name not in UNTOLD:
            _note(request, user, name, response.status_code)
        return response

    return seen


def _note(request: HttpRequest, user: User | None, action: str, status: int) -> None:
    address = client_address(request)
    note_staff_action(user, action, path=request.path, status=status, address=address)


def _in_dhaka(view: Callable[..., Any]) -> Callable[..., Any]:
    """The shop's people read and type times of Dhaka; the page is drawn before we leave it."""

    @wraps(view)
    def here(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with timezone.override(DHAKA):
            response: Any = view(request, *args, **kwargs)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()
        return cast("HttpResponse", response)

    return here
