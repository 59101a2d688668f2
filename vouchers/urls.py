"""Mounted at `/api/v1/`; the operators' imports at `/api/v1/admin/`."""

from django.urls import URLPattern, path

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
    return [
        path("batches", batch_views.BatchesView.as_view(), name="admin-batches"),
        path("batches/<int:batch_id>", batch_views.BatchView.as_view(), name="admin-batch"),
        path(
            "batches/<int:batch_id>/rows",
            batch_views.BatchRowsView.as_view(),
            name="admin-batch-rows",
        ),
        path(
            "batches/<int:batch_id>/confirm",
            batch_views.ConfirmBatchView.as_view(),
            name="admin-batch-confirm",
        ),
        path(
            "batches/<int:batch_id>/cancel",
            batch_views.CancelBatchView.as_view(),
            name="admin-batch-cancel",
        ),
    ]
