"""A system does not take what it is told: five tries, a dead letter, an alert, a replay."""

from typing import Any

import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.backoffice import BackOffice
from tests.journeys.bank import Bank
from tests.journeys.test_gift_card_for_points import STEAM, recipient

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
LOG = "/api/v1/admin/webhook-deliveries"


class Told:
    """What one fulfilment order of the demo bank came to at the bank's own system."""

    def __init__(self, client: ShopClient) -> None:
        self.client, self.bank = client, Bank(client)
        body = {"gift_cards": [{"gift_card_id": STEAM}], "recipient": recipient()}
        self.order = self.bank.order("/gift-cards", **body)["data"]

    def delivery(self) -> dict[str, Any] | None:
        page = self.client.admin("GET", f"{LOG}?subject={self.order['reference']}")["data"]
        assert page["total"] <= 1, "one change is one event"
        return page["items"][0] if page["items"] else None

    def until(self, status: str, seconds: float = 60) -> dict[str, Any]:
        return ShopClient.until(
            self.delivery,
            lambda row: row is not None and row["status"] == status,
            f"the event to be {status}",
            seconds=seconds,
        )

    @property
    def taken(self) -> list[dict[str, Any]]:
        notices = self.client.control("GET", "receiver/ledger")["notices"]
        return [
            each for each in notices
            if each["body"]["data"].get("order", {}).get("id") == self.order["id"]
        ]  # fmt: skip

    def alerts(self) -> list[dict[str, Any]]:
        page = self.client.admin("GET", "/api/v1/admin/alerts?type=webhook_failed")["data"]
        return page["items"]


def test_told_at_once_signed_and_only_once(client: ShopClient) -> None:
    told = Told(client)
    row = told.until("DELIVERED")
    (notice,) = told.taken
    assert (notice["event_id"], notice["times"]) == (row["eventId"], 1)
    assert notice["type"] == "fulfillment_order.fulfilled"
    assert notice["body"]["data"]["order"]["order_items"][0]["status"] == "fulfilled"


def test_500_four_times_then_taken(client: ShopClient) -> None:
    client.fault("receiver", "notice", "error_500", times=4, match={"receiver": "bank"})
    told = Told(client)
    row = told.until("DELIVERED")
    detail = client.admin("GET", f"{LOG}/{row['id']}")["data"]
    assert [each["answer_status"] for each in detail["attempts"]] == [500, 500, 500, 500, 200]
    assert [each["times"] for each in told.taken] == [1]


@pytest.mark.parametrize("fault", ["refuse", "redirect", "error_500"])
def test_dead_letter_replayed_by_the_api(client: ShopClient, fault: str, shop: Shop) -> None:
    client.fault("receiver", "notice", fault, match={"receiver": "bank"})
    told = Told(client)
    told.bank.wait_for(told.order["id"], "fulfilled")  # whoever listens, the card is delivered
    row = told.until("DEAD")
    assert (row["tries"], told.taken) == (5, [])
    (alert,) = told.alerts()
    assert "Demo receiver (bank)" in alert["message"]

    client.control("DELETE", "receiver/faults")
    path = f"{LOG}/{row['id']}/replay"
    client.admin("POST", path, {"reason": "the bank repaired it"})
    again = told.until("DELIVERED")
    assert again["eventId"] == row["eventId"] == told.taken[0]["event_id"]
    assert again["replay_reason"] == "the bank repaired it"
    assert told.alerts() == []
    shop.manage("check_invariants")


def test_dead_letter_replayed_at_the_desk(client: ShopClient) -> None:
    client.fault("receiver", "notice", "hang", seconds=5, match={"receiver": "bank"})
    told = Told(client)
    row = told.until("DEAD", seconds=90)
    assert row["error"] == "no answer"
    client.control("DELETE", "receiver/faults")
    desk, page = BackOffice(client), f"/admin/webhooks/delivery/{row['id']}/change/"
    assert "It failed for good" in desk.get(page)
    desk.press(page, "replay/", reason="their server hung")
    assert told.until("DELIVERED")["replay_reason"] == "their server hung"
    assert "It failed for good" not in desk.get(page)


def test_the_worker_is_killed_while_the_receiver_is_silent(client: ShopClient, shop: Shop) -> None:
    client.fault("receiver", "notice", "hang_after", seconds=5, times=1, match={"receiver": "bank"})
    told = Told(client)
    ShopClient.until(lambda: told.taken, bool, "the receiver to have it")
    shop.kill("worker")
    shop.start("worker")
    row = told.until("DELIVERED")
    assert {each["event_id"] for each in told.taken} == {row["eventId"]}
