"""A sweep rings again for what the broker may have forgotten, never for what it still holds.

With fewer workers than work, each sweep would otherwise add hundreds of tasks that find nothing
left to do, and a shop that has fallen behind would fall behind further.
"""

from collections.abc import Mapping
from typing import Any, Final

from celery import Task
from kombu.exceptions import ChannelError, OperationalError

from core.logging import get_logger

log = get_logger(__name__)

#: Of sweeps that ring for each piece of work: where their bells wait to be heard.
RINGS_IN: Final[Mapping[str, str]] = {
    "payments.tasks.sweep_payments": "money",
    "payments.tasks.sweep_refunds": "money",
    "fulfillment.tasks.sweep_orders": "money",
    "loyalty.tasks.sweep_transfers": "money",
    "notifications.tasks.sweep_emails": "mail",
    "webhooks.tasks.sweep_webhooks": "webhooks",
}
#: As many as a sweep would ring at once.
ENOUGH: Final = 500


class ShopTask(Task):  # type: ignore[type-arg]
    """A task that, being a sweep, lets the bells be heard that wait already."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        queue = RINGS_IN.get(self.name)
        if queue and (waiting := self.waiting_in(queue)) >= ENOUGH:
            log.warning("sweep.left_to_the_queue", sweep=self.name, queue=queue, waiting=waiting)
            return None
        return super().__call__(*args, **kwargs)

    def waiting_in(self, queue: str) -> int:
        """Tasks that nobody has taken yet; 0 where the broker can't tell."""
        try:
            with self.app.connection_or_acquire() as connection:
                told = connection.default_channel.queue_declare(queue, passive=True)
        except (ChannelError, OperationalError, OSError):  # no such queue yet, or no broker
            return 0
        count: int = told.message_count
        return count
