"""Paid from a phone's balance: at Robi with our password, at Banglalink with the operator's."""

import html
import re
import uuid

import pytest
import requests

from bdvoucher.local.client import ShopClient
from tests.journeys.refunding import finance, one_unit_back
from tests.journeys.test_buy_and_receive import seed_order

pytestmark = pytest.mark.journey
ADDRESS = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Phone:
    """A subscriber: a browser on the shop's page, and the messages that arrive."""

    def __init__(self, client: ShopClient, number: str) -> None:
        self.client, self.number = client, number
        self.browser = requests.Session()

    def press(self, page: str, action: str, **fields: str) -> requests.Response:
        shown = self.browser.get(page, timeout=20)
        assert shown.ok, shown.text[:500]
        token = html.unescape(ADDRESS.findall(shown.text)[0])
        data = {"csrfmiddlewaretoken": token, "action": action, **fields}
        return self.browser.post(page, data=data, timeout=20)

    def text_message(self) -> str:
        """The shop's own password."""
        texts = [mail["text"] for mail in self.client.mails(self.number)]
        return str(texts[-1]).split(" ")[0]

    def operators_password(self, reference: str) -> str:
        people = self.client.control("GET", "dcb/ledger")["subscribers"]
        mine = next(person for person in people if person["number"] == self.number)
        return next(str(each["otp"]) for each in mine["messages"] if each["reference"] == reference)


@pytest.fixture
def robi(client: ShopClient) -> Phone:
    return Phone(client, f"88018{uuid.uuid4().int % 10**8:08d}")


@pytest.fixture
def banglalink(client: ShopClient) -> Phone:
    return Phone(client, f"88019{uuid.uuid4().int % 10**8:08d}")


def charged(client: ShopClient, transaction: str) -> int:
    charges: dict[str, int] = client.control("GET", "dcb/ledger")["charges"]
    return charges[transaction.replace("-", "")]


def test_charged_at_once_and_delivered(client: ShopClient, robi: Phone) -> None:
    body = seed_order("dcb")
    placed = client.place_order(body)
    page = placed["payment"]["paymentGatewayUrl"]
    robi.press(page, "send", number=robi.number)

    shown = robi.press(page, "confirm", password=robi.text_message())

    assert "/payments/return/" in shown.url
    order = client.wait_for(placed["id"], "SUCCEEDED")
    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]
    assert len(order["voucher_codes"]) == 3
    assert charged(client, placed["payment"]["transactionId"]) == 1
    last = client.mails(str(body["recipient_email"]))[-1]
    assert all(code in last["text"] for code in order["voucher_codes"])


def test_authorised_then_confirmed_and_delivered(client: ShopClient, banglalink: Phone) -> None:
    client.fault("dcb", "notification", "late", seconds=None, match={"number": banglalink.number})
    placed = client.place_order(seed_order("dcb"))
    page = placed["payment"]["paymentGatewayUrl"]
    reference = placed["payment"]["transactionId"].replace("-", "")
    banglalink.press(page, "send", number=banglalink.number)

    shown = banglalink.press(page, "confirm", password=banglalink.operators_password(reference))

    assert "Confirming payment" in shown.text
    waiting = client.order(placed["id"])
    assert waiting["status"] == "CARRIER_AUTHORIZED"
    assert [payment["status"] for payment in waiting["payments"]] == ["AUTHORIZED"]
    assert waiting["voucher_codes"] == []
    client.control("DELETE", "dcb/faults")
    # On the phone's own page, as its owner would.
    phone = f"{client.simulators_url}/dcb/phone/{banglalink.number}"
    requests.post(phone, data={"action": "pay", "external": reference}, timeout=20)

    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]
    assert len(order["voucher_codes"]) == 3
    assert charged(client, reference) == 1


def test_authorised_then_refused(client: ShopClient, banglalink: Phone) -> None:
    client.fault("dcb", "notification", "refused", match={"number": banglalink.number})
    placed = client.place_order(seed_order("dcb"))
    page = placed["payment"]["paymentGatewayUrl"]
    reference = placed["payment"]["transactionId"].replace("-", "")
    banglalink.press(page, "send", number=banglalink.number)
    banglalink.press(page, "confirm", password=banglalink.operators_password(reference))

    order = client.wait_for(placed["id"], "FAILED")

    assert order["voucher_codes"] == []
    assert charged(client, reference) == 0


def test_charged_without_an_answer_and_paid_all_the_same(client: ShopClient, robi: Phone) -> None:
    """The answer is lost after the money moved: the sweep repeats the same id, charged once."""
    client.fault("dcb", "debit", "cut_after", times=1, match={"number": robi.number})
    placed = client.place_order(seed_order("dcb"))
    page = placed["payment"]["paymentGatewayUrl"]
    robi.press(page, "send", number=robi.number)
    robi.press(page, "confirm", password=robi.text_message())

    order = client.wait_for(placed["id"], "SUCCEEDED")

    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]
    assert charged(client, placed["payment"]["transactionId"]) == 1


def test_delivered_and_refunded_in_part_by_hand(client: ShopClient, robi: Phone) -> None:
    """No operator's API pays back: a person does, and says under which reference."""
    placed = client.place_order(seed_order("dcb"))
    page = placed["payment"]["paymentGatewayUrl"]
    robi.press(page, "send", number=robi.number)
    robi.press(page, "confirm", password=robi.text_message())
    order, refund = one_unit_back(client, client.wait_for(placed["id"], "SUCCEEDED"))
    assert (refund["status"], refund["by_hand"]) == ("REQUESTED", True)
    assert "refund_by_hand" in open_alerts(client, order["id"])
    till = finance(client)
    settle = f"/admin/payments/{order['payments'][0]['id']}/refunds/{refund['id']}/settle"

    till.expect(400, "POST", settle, {"outcome": "paid"}, who="finance")  # paid, but where?
    done = till.expect(
        200, "POST", settle, {"outcome": "paid", "reference": "RB-77"}, who="finance"
    )["data"]

    assert (done["status"], done["hand_reference"]) == ("SUCCEEDED", "RB-77")
    assert "refund_by_hand" not in open_alerts(client, order["id"])
    assert charged(client, placed["payment"]["transactionId"]) == 1


def open_alerts(client: ShopClient, order: int) -> list[str]:
    shown = client.admin("GET", f"/admin/orders/{order}")["data"]
    return [alert["type"] for alert in shown["alerts"]]


def test_given_up_on_the_page(client: ShopClient, robi: Phone) -> None:
    placed = client.place_order(seed_order("dcb"))
    robi.press(placed["payment"]["paymentGatewayUrl"], "cancel")

    assert client.order(placed["id"])["status"] == "CANCELLED"
