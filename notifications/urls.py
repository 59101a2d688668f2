"""Mounted twice: at `/ordersv2/`, as the seed writes it, and below `/api/v1/admin/` (D1)."""

from django.urls import URLPattern, path

from notifications import views


def order_mail_routes(prefix: str) -> list[URLPattern]:
    """The literal routes, named with a prefix so that both mounts can be reversed."""
    one, send = views.OrderV2View.as_view(), views.SendEmailView.as_view()
    return [
        path("<digits:key>", one, name=f"{prefix}-order-mails"),
        path("<digits:key>/email/send", send, name=f"{prefix}-email-send"),
    ]
