"""Orders on the operators' site: the queue, the page of one order, and its buttons."""

from django.contrib import admin
from django.urls import URLPattern

from orders.admin.acts import ActsDoor
from orders.admin.page import PageDoor
from orders.admin.queue import QueueDoor
from orders.discount_admin import DiscountCodeAdmin
from orders.models import Order
from orders.subscription_admin import SubscriptionAdmin

__all__ = ["DiscountCodeAdmin", "OrderAdmin", "SubscriptionAdmin"]


@admin.register(Order)
class OrderAdmin(QueueDoor, PageDoor, ActsDoor):
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        own = (self.queue_routes(), self.page_routes(), self.code_routes(), self.act_routes())
        return [*(route for routes in own for route in routes), *super().get_urls()]
