"""Mounted at `/api/v1/`."""

from django.urls import URLPattern, path

from core.api.routing import routes
from orders import discount_views, views

urlpatterns = [
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:key>", views.OrderView.as_view(), name="order"),
    path("orders/<str:key>/cancel", views.CancelView.as_view(), name="order-cancel"),
    path("discounts/validate", discount_views.ValidateView.as_view(), name="discount-validate"),
]


def discount_routes(prefix: str) -> list[URLPattern]:
    """The operators' routes, at `/admin/discounts` and below `/api/v1/` (D1)."""
    one = "discounts/<int:discount_id>"
    return routes(
        prefix,
        ("discounts", discount_views.DiscountsView, "discounts"),
        (one, discount_views.DiscountView, "discount"),
        (f"{one}/orders", discount_views.DiscountOrdersView, "discount-orders"),
    )
