"""What others may ask: tell an event, give an endpoint its secret, replay what was not taken."""

from webhooks.services.announcing import Event, announce, announce_to, order_moved
from webhooks.services.endpoints import end_former_secret, first_secret, rotate_secret
from webhooks.services.replaying import replay

__all__ = [
    "Event",
    "announce",
    "announce_to",
    "end_former_secret",
    "first_secret",
    "order_moved",
    "replay",
    "rotate_secret",
]
