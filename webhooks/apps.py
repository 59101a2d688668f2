from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every arrow an order follows is told to who listens, in the transaction of the arrow."""
        from orders.watching import watch
        from webhooks.services import order_moved

        watch(order_moved)
