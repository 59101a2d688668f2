"""Mounted at `/api/v1/`; the operators' imports at `/api/v1/admin/`."""

from django.urls import URLPattern, path

from core.api.routing import routes
from vouchers import batch_views, views

urlpatterns = [
    path("vouchers", views.VouchersView.as_view(), name="vouchers"),
    path("vouchers/<int:voucher_id>", views.VoucherView.as_view(), name="voucher"),
    path(
        "vouchers/<int:voucher_id>/mark-used",
        views.MarkUsedView.as_view(),
        name="voucher-mark-used",
    ),
]


def batch_routes() -> list[URLPattern]:
    one = "batches/<int:batch_id>"
    return routes(
        "admin",
        ("batches", batch_views.BatchesView, "batches"),
        (one, batch_views.BatchView, "batch"),
        (f"{one}/rows", batch_views.BatchRowsView, "batch-rows"),
        (f"{one}/confirm", batch_views.ConfirmBatchView, "batch-confirm"),
        (f"{one}/cancel", batch_views.CancelBatchView, "batch-cancel"),
    )
