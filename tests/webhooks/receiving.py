"""The simulated receiver, as a test asks it what it took."""

from dataclasses import dataclass
from typing import Any

from fulfillment.partners.tests.simulator import Simulator
from webhooks.models import Endpoint
from webhooks.tests.factories import SECRET, EndpointFactory


@dataclass(frozen=True)
class Receiving:
    simulator: Simulator

    def endpoint(self, name: str = "shop", *, secret: str = SECRET, **fields: Any) -> Endpoint:
        """An endpoint of that name, whose receiver knows the secret."""
        secrets = self.simulator.read("receiver/settings")["secrets"]
        self.simulator.call("receiver/settings", secrets=secrets | {name: secret})
        return EndpointFactory(url=f"{self.simulator.url}/receiver/{name}", **fields)

    def fault(self, fault: str, **options: Any) -> None:
        self.simulator.fault("receiver", "notice", fault, **options)

    def heal(self) -> None:
        self.simulator.heal("receiver")

    @property
    def ledger(self) -> Any:
        return self.simulator.read("receiver/ledger")

    @property
    def taken(self) -> list[tuple[str, int]]:
        """Type and how often it came, of each event."""
        return [(each["type"], each["times"]) for each in self.ledger["notices"]]
