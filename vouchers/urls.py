"""Mounted at `/api/v1/`."""

from django.urls import path

from vouchers import views

urlpatterns = [
    path("vouchers", views.VouchersView.as_view(), name="vouchers"),
    path("vouchers/<int:voucher_id>", views.VoucherView.as_view(), name="voucher"),
    path(
        "vouchers/<int:voucher_id>/mark-used",
        views.MarkUsedView.as_view(),
        name="voucher-mark-used",
    ),
]
