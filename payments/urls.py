"""Mounted at `/api/v1/`."""

from django.urls import URLPattern, path, re_path

from core.api.routing import routes
from payments import operator_views, views

urlpatterns = [
    path("payments/initiate", views.InitiateByBodyView.as_view(), name="payment-initiate-body"),
    path(
        "payments/initiate/<str:order_key>", views.InitiateView.as_view(), name="payment-initiate"
    ),
    path("payments/status/<str:reference>", views.StatusView.as_view(), name="payment-status"),
    path("payments/channels", views.ChannelsView.as_view(), name="payment-channels"),
    path("payments/<slug:gateway>/callback", views.callback, name="payment-callback"),
    path("payments/<slug:gateway>/ipn", views.callback, {"browser": False}, name="payment-ipn"),
    # Providers append to the address they were given: `/?`, `//?` and `?` are all the same.
    re_path(
        r"^payments/(?P<gateway>[-\w]+)/callback/(?:(?P<reference>[\w.-]{1,64})/{0,2})?$",
        views.callback,
    ),
]


def operator_routes(prefix: str) -> list[URLPattern]:
    """Mounted twice: at `/admin/payments/`, and below `/api/v1/` (D1)."""
    one = "<digits:payment_id>"
    refund = f"{one}/refunds/<digits:refund_id>"
    return routes(
        prefix,
        (one, operator_views.PaymentView, "payment"),
        (f"{one}/verify", operator_views.VerifyView, "verify"),
        (f"{one}/refund", operator_views.RefundView, "refund"),
        (f"{refund}/settle", operator_views.SettleRefundView, "settle-refund"),
    )
