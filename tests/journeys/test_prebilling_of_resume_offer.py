"""A paused subscription is offered to go on; once its day has come, no notice is sent (A5)."""

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bdvoucher.local.client import ShopClient
from tests.journeys.backoffice import BackOffice

pytestmark = pytest.mark.journey


def test_prebilling_of_resume_offer(client: ShopClient) -> None:
    address = f"resume-{uuid.uuid4().hex[:10]}@example.com"
    due = datetime.now(ZoneInfo("Asia/Dhaka")) + timedelta(seconds=12)
    BackOffice(client).subscribe(address, due=due, billing="RECURRING", status="SUSPENDED")
    (notice,) = client.until(lambda: client.mails(address), bool, "the offer to resume")
    number = notice["subject"].rpartition("#")[2]

    def seen() -> dict[str, Any]:
        data: dict[str, Any] = client.admin("GET", f"/ordersv2/{number}")["data"]
        return data

    before = client.until(
        seen, lambda data: data["prebillingStatus"] == "COMPLETED", "the notice to be recorded"
    )
    assert (before["source"], before["offerSubSource"]) == ("OFFER", "RESUME")

    def ask() -> dict[str, Any]:
        return client.session.post(
            f"{client.url}/ordersv2/{number}/email/send", json={"template": "PREBILLING"},
            headers=client._authorization("operator"), timeout=20,
        )  # fmt: skip

    client.until(
        lambda: datetime.now(ZoneInfo("Asia/Dhaka")), lambda now: now > due, "the day to come"
    )
    answer = ask()

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["prebillingStatus"] == "COMPLETED"
    assert len(data["emails"]) == len(before["emails"])
    assert len(client.mails(address)) == 1
