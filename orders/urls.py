"""Mounted at `/api/v1/`."""

from django.urls import path

from orders import views

urlpatterns = [
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:key>", views.OrderView.as_view(), name="order"),
    path("orders/<str:key>/cancel", views.CancelView.as_view(), name="order-cancel"),
]
