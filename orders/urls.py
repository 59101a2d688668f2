"""Mounted at `/api/v1/`."""

from django.urls import URLPattern, path

from orders import discount_views, views

urlpatterns = [
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:key>", views.OrderView.as_view(), name="order"),
    path("orders/<str:key>/cancel", views.CancelView.as_view(), name="order-cancel"),
    path("discounts/validate", discount_views.ValidateView.as_view(), name="discount-validate"),
]


def discount_routes(prefix: str) -> list[URLPattern]:
    """The operators' routes, at `/admin/discounts` and below `/api/v1/` (D1)."""
    one = discount_views.DiscountView.as_view()
    orders = discount_views.DiscountOrdersView.as_view()
    return [
        path("discounts", discount_views.DiscountsView.as_view(), name=f"{prefix}-discounts"),
        path("discounts/<int:discount_id>", one, name=f"{prefix}-discount"),
        path("discounts/<int:discount_id>/orders", orders, name=f"{prefix}-discount-orders"),
    ]
