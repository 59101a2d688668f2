"""Operators' routes, mounted at `/api/v1/admin/` only: `/admin/webhooks/` is the pages' own."""

from django.urls import path

from webhooks import views

urlpatterns = [
    path("webhook-deliveries", views.DeliveriesView.as_view(), name="webhook-deliveries"),
    path(
        "webhook-deliveries/<int:delivery_id>",
        views.DeliveryView.as_view(),
        name="webhook-delivery",
    ),
    path(
        "webhook-deliveries/<int:delivery_id>/replay",
        views.ReplayView.as_view(),
        name="webhook-replay",
    ),
]
