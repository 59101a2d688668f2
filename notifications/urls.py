"""Mounted as the seeds write the paths, and below `/api/v1/admin/` (D1)."""

from django.urls import URLPattern

from core.api.routing import routes
from notifications import alert_views, views


def order_mail_routes(prefix: str) -> list[URLPattern]:
    """The literal routes, named with a prefix so that both mounts can be reversed."""
    return routes(
        prefix,
        ("<digits:key>", views.OrderV2View, "order-mails"),
        ("<digits:key>/email/send", views.SendEmailView, "email-send"),
    )


def alert_routes(prefix: str) -> list[URLPattern]:
    """Alerts for operators."""
    one = "alerts/<int:alert_id>"
    return routes(
        prefix,
        ("alerts", alert_views.AlertsView, "alerts"),
        (f"{one}/acknowledge", alert_views.AcknowledgeView, "alert-acknowledge"),
        (f"{one}/resolve", alert_views.ResolveView, "alert-resolve"),
    )
