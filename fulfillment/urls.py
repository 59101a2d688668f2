"""Mounted twice: at `/admin/orders/`, as the seeds write it, and below `/api/v1/` (D1)."""

from django.urls import URLPattern, path, register_converter

from fulfillment import queue_views, run_views, views
from fulfillment.partners.registry import WEBHOOKS
from fulfillment.webhook_views import webhook


class DigitsConverter:
    """Ids and order numbers: digits alone, so that the admin's own pages stay theirs."""

    regex = r"[0-9]{1,18}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(DigitsConverter, "digits")

#: Partners' notices, below `/api/v1/`.
webhook_routes: list[URLPattern] = [
    path(f"{slug}/webhook", webhook, {"partner": slug}, name=f"{slug}-webhook") for slug in WEBHOOKS
]


def operator_routes(prefix: str) -> list[URLPattern]:
    """The recovery routes, named with a prefix so that both mounts can be reversed."""
    return [
        path("<digits:key>", views.OrderView.as_view(), name=f"{prefix}-order"),
        path(
            "<digits:key>/fulfillment/manual-code",
            views.ManualCodeView.as_view(),
            name=f"{prefix}-manual-code",
        ),
        path(
            "<digits:key>/fulfillment/manual-codes",
            views.ManualCodesView.as_view(),
            name=f"{prefix}-manual-codes",
        ),
        path(
            "<digits:key>/fulfillment/partner-retry",
            views.PartnerRetryView.as_view(),
            name=f"{prefix}-partner-retry",
        ),
        path(
            "<digits:key>/fulfillment/resend-email",
            views.ResendView.as_view(),
            name=f"{prefix}-resend-email",
        ),
        path("<digits:key>/release", views.ReleaseView.as_view(), name=f"{prefix}-release"),
        path(
            "<digits:key>/fulfillment-attempts",
            views.AttemptsView.as_view(),
            name=f"{prefix}-attempts",
        ),
        path(
            "<digits:key>/purchases",
            queue_views.PurchasesView.as_view(),
            name=f"{prefix}-purchases",
        ),
        path(
            "<digits:key>/purchases/<digits:purchase>/close",
            queue_views.ClosePurchaseView.as_view(),
            name=f"{prefix}-close-purchase",
        ),
    ]


def queue_routes(prefix: str) -> list[URLPattern]:
    """`/admin/orders` without its slash, and what is not about one order."""
    return [
        path("orders", queue_views.QueueView.as_view(), name=f"{prefix}-orders"),
        path("recovery-runs", run_views.RunsView.as_view(), name=f"{prefix}-runs"),
        path("recovery-runs/<int:run_id>", run_views.RunView.as_view(), name=f"{prefix}-run"),
        path(
            "recovery-runs/<int:run_id>/rows",
            run_views.RunRowsView.as_view(),
            name=f"{prefix}-run-rows",
        ),
        path(
            "recovery-runs/<int:run_id>/start",
            run_views.StartRunView.as_view(),
            name=f"{prefix}-run-start",
        ),
        path(
            "recovery-runs/<int:run_id>/pause",
            run_views.PauseRunView.as_view(),
            name=f"{prefix}-run-pause",
        ),
        path(
            "recovery-runs/<int:run_id>/stop",
            run_views.StopRunView.as_view(),
            name=f"{prefix}-run-stop",
        ),
        path("partners", queue_views.PartnersView.as_view(), name=f"{prefix}-partners"),
        path(
            "partners/<digits:key>/reset",
            queue_views.ResetPartnerView.as_view(),
            name=f"{prefix}-partner-reset",
        ),
        path(
            "partners/<digits:key>/check",
            queue_views.CheckPartnerView.as_view(),
            name=f"{prefix}-partner-check",
        ),
    ]
