from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A gift card that was delivered is told to its programme, in the same transaction."""
        from loyalty.telling import order_moved
        from orders.watching import watch

        watch(order_moved)
