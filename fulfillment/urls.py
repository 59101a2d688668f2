"""Mounted twice: at `/admin/orders/`, as the seeds write it, and below `/api/v1/` (D1)."""

from django.urls import URLPattern, path, register_converter

from core.api.routing import routes
from fulfillment import partner_views, purchase_views, queue_views, run_views, views
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
    one, act = "<digits:key>", "<digits:key>/fulfillment"
    close = f"{one}/purchases/<digits:purchase>/close"
    return routes(
        prefix,
        (one, views.OrderView, "order"),
        (f"{act}/manual-code", views.ManualCodeView, "manual-code"),
        (f"{act}/manual-codes", views.ManualCodesView, "manual-codes"),
        (f"{act}/partner-retry", views.PartnerRetryView, "partner-retry"),
        (f"{act}/resend-email", views.ResendView, "resend-email"),
        (f"{one}/release", views.ReleaseView, "release"),
        (f"{one}/fulfillment-attempts", views.AttemptsView, "attempts"),
        (f"{one}/purchases", purchase_views.PurchasesView, "purchases"),
        (close, purchase_views.ClosePurchaseView, "close-purchase"),
    )


def queue_routes(prefix: str) -> list[URLPattern]:
    """`/admin/orders` without its slash, and what is not about one order."""
    run, partner = "recovery-runs/<int:run_id>", "partners/<digits:key>"
    return routes(
        prefix,
        ("orders", queue_views.QueueView, "orders"),
        ("recovery-runs", run_views.RunsView, "runs"),
        (run, run_views.RunView, "run"),
        (f"{run}/rows", run_views.RunRowsView, "run-rows"),
        (f"{run}/start", run_views.StartRunView, "run-start"),
        (f"{run}/pause", run_views.PauseRunView, "run-pause"),
        (f"{run}/stop", run_views.StopRunView, "run-stop"),
        ("partners", partner_views.PartnersView, "partners"),
        (f"{partner}/reset", partner_views.ResetPartnerView, "partner-reset"),
        (f"{partner}/check", partner_views.CheckPartnerView, "partner-check"),
    )
