"""Who wants to know that an order moved: apps above enter themselves when they are loaded.

Called in the transaction of the change, under the order's lock; what a watcher writes is kept
together with the change or not at all. A watcher asks nobody outside and takes no lock above
the order's.
"""

from collections.abc import Callable

from orders.models import Order, OrderEvent

Watcher = Callable[[Order, OrderEvent], None]
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Tell `watcher` of every arrow an order follows from now on."""
    if watcher not in _watchers:
        _watchers.append(watcher)


def moved(order: Order, event: OrderEvent) -> None:
    """An order followed an arrow; `event` is the line of its timeline that tells it."""
    for watcher in _watchers:
        watcher(order, event)
