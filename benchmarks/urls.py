"""The shop's addresses, and beside them the views it is measured against."""

from django.urls import path

from bdvoucher.urls import handler400, handler404, handler500, urlpatterns as shop
from benchmarks import careful_views

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("bench/bare", careful_views.Bare.as_view()),
    path("bench/orders", careful_views.Orders.as_view()),
    path("bench/orders/<int:pk>", careful_views.OneOrder.as_view()),
    *shop,
]
