"""Mounted as the seeds write the paths, and below `/api/v1/admin/` (D1)."""

from django.urls import URLPattern, path

from notifications import alert_views, views


def order_mail_routes(prefix: str) -> list[URLPattern]:
    """The literal routes, named with a prefix so that both mounts can be reversed."""
    one, send = views.OrderV2View.as_view(), views.SendEmailView.as_view()
    return [
        path("<digits:key>", one, name=f"{prefix}-order-mails"),
        path("<digits:key>/email/send", send, name=f"{prefix}-email-send"),
    ]


def alert_routes(prefix: str) -> list[URLPattern]:
    """Alerts for operators."""
    return [
        path("alerts", alert_views.AlertsView.as_view(), name=f"{prefix}-alerts"),
        path(
            "alerts/<int:alert_id>/acknowledge",
            alert_views.AcknowledgeView.as_view(),
            name=f"{prefix}-alert-acknowledge",
        ),
        path(
            "alerts/<int:alert_id>/resolve",
            alert_views.ResolveView.as_view(),
            name=f"{prefix}-alert-resolve",
        ),
    ]
