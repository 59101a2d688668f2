"""Points for an airline's member: at once, in days, refused, or nobody knows - credited once."""

import uuid
from typing import Any

import pytest

from bdvoucher.local.client import ShopClient
from bdvoucher.local.stack import Shop
from tests.journeys.bank import Bank

pytestmark = pytest.mark.journey
AMOUNT = 2500


class Member:
    """One of the airline's, with an account nobody else credits."""

    def __init__(self, client: ShopClient) -> None:
        self.client, self.bank = client, Bank(client)
        self.id = f"BG{uuid.uuid4().int % 10**7:07}"
        programs = self.bank.ask("GET", "/loyalty_programs")["data"]
        (self.airline,) = [row["id"] for row in programs if row["name"] == "Bengal Miles"]

    def ordered(self, expect: int = 201) -> dict[str, Any]:
        return self.bank.order(
            "/points-transfers", expect=expect, loyalty_program_id=self.airline, amount=AMOUNT,
            membership={"id": self.id, "first_name": "Nadia", "last_name": "Islam"},
        )  # fmt: skip

    @property
    def balance(self) -> int:
        balances = self.client.control("GET", "points/ledger")["balances"]
        return balances.get(f"BENGAL/{self.id}", 0)


@pytest.fixture
def member(client: ShopClient) -> Member:
    return Member(client)


def test_validated_credited_told(member: Member) -> None:
    path = f"/loyalty_programs/{member.airline}/validate_membership"
    valid = member.bank.ask("POST", path, {"membership": {"id": member.id.lower()}})["data"]
    assert valid["membership_id"] == member.id
    placed = member.ordered()["data"]
    item = member.bank.wait_for(placed["id"], "fulfilled")
    assert (item["amount"], item["points_to_be_returned"]) == (AMOUNT, False)
    assert member.balance == AMOUNT


def test_a_member_id_the_engine_does_not_take(member: Member) -> None:
    member.id = "12345"
    error = member.ordered(expect=422)["error"]
    assert error == {"code": "NN1301", "message": "A membership id is BG and seven digits."}


@pytest.mark.parametrize("moment", ["cut_after", "cut_before"])
def test_unknown_then_fulfilled(member: Member, client: ShopClient, moment: str) -> None:
    client.fault("points", "credit", moment, times=1)
    placed = member.ordered()["data"]
    assert member.bank.item(placed["id"])["status"] in ("pending", "processing")
    member.bank.wait_for(placed["id"], "fulfilled", seconds=40)
    assert member.balance == AMOUNT


def test_the_worker_is_killed_while_the_partner_is_silent(
    member: Member, client: ShopClient, shop: Shop
) -> None:
    client.fault("points", "credit", "hang_after", times=1, seconds=20)
    placed = member.ordered()["data"]

    def sent() -> bool:
        return member.balance == AMOUNT

    ShopClient.until(sent, bool, "the partner to have it")
    shop.kill("worker")
    assert member.bank.item(placed["id"])["status"] == "processing"
    shop.start("worker")
    member.bank.wait_for(placed["id"], "fulfilled", seconds=60)
    assert member.balance == AMOUNT


@pytest.mark.parametrize(("then", "state"), [("credited", "fulfilled"), ("rejected", "failed")])
def test_it_takes_its_time(member: Member, client: ShopClient, then: str, state: str) -> None:
    client.fault("points", "credit", "pending", times=1, seconds=3, then=then)
    placed = member.ordered()["data"]
    member.bank.wait_for(placed["id"], "processing")
    item = member.bank.wait_for(placed["id"], state)
    assert item["points_to_be_returned"] is (state == "failed")
    assert member.balance == (AMOUNT if state == "fulfilled" else 0)
