"""The operators' site and its landing page; each app registers its own pages on it."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final, cast

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from bdvoucher.dashboard import dashboard
from orders.selectors import DHAKA

#: In the order in which an operator needs them.
APPS: Final = (
    "orders",
    "payments",
    "books",
    "fulfillment",
    "notifications",
    "vouchers",
    "catalog",
    "loyalty",
    "accounts",
)
HIDDEN: Final = frozenset({"token_blacklist"})
"""Its pages would show tokens."""


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
        return super().admin_view(_in_dhaka(view), cacheable)

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
