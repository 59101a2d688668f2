"""The way back to the merchant: what happens when a payer has pressed a button.

The browser carries the answer, so it may get lost, come late, or come several times. Those
faults are the same for every gateway; what stands in the query is the gateway's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .faults import Fault
from .http import Response, redirect, with_query
from .outbound import Delivery
from .pages import page
from .service import Service

RETURN_FAULTS: Final[Mapping[str, str]] = {
    "never": "the browser is not sent back at all",
    "repeat": "the callback is called `count` (2) times in all, the browser being one of them",
    "late": "not the browser but the simulator calls back, after `seconds` (5)",
    "missing": "sent back without a single parameter",
}


def send_back(
    service: Service, fault: Fault | None, callback_url: str, params: Mapping[str, str], brand: str
) -> Response:
    """Redirect the browser to the merchant, or what ``fault`` makes of that."""
    name = fault.fault if fault else ""
    target = with_query(callback_url, params) if name != "missing" and params else callback_url
    if fault is None or name not in ("never", "repeat", "late"):
        return redirect(target)
    visit = Delivery(kind="return", url=target, method="GET", reference=callback_url)
    if name == "repeat":
        for _ in range(int(fault.number("count", 2)) - 1):
            service.deliver(visit)
        return redirect(target)
    if name == "late":
        service.deliver(visit, after=fault.number("seconds", 5))
    return page("closed.html", brand=brand, target=target)
