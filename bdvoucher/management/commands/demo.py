"""`./run demo`: a sale and a repair, told on a shop of its own, promise by promise."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bdvoucher.local.client import SEED_ORDER, ShopClient, StoryError
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.stack import Shop

QUICK = {"SWEEP_ORDERS_SECONDS": "2", "LOOKUP_WAITS": "0.5,0.5,1,2,5", "ATTEMPT_WAITS": "60"}
RECIPIENT = str(SEED_ORDER["recipient_email"])
UNITS = sum(item["quantity"] for item in SEED_ORDER["items"])


class Story:
    """Prints what is asked and what comes back, and remembers which promises were kept."""

    def __init__(self, client: ShopClient) -> None:
        self.client = client
        self.promises: list[tuple[str, bool]] = []
        self.started = time.monotonic()

    def chapter(self, title: str) -> None:
        print(f"\n{title}\n{'-' * len(title)}")

    def step(self, asked: str, came: str) -> None:
        print(f"  {time.monotonic() - self.started:5.1f} s  {asked}\n           -> {came}")

    def promise(self, text: str, kept: bool) -> None:
        self.promises.append((text, kept))

    def buy(self) -> dict[str, Any]:
        """Order with the seed's body and pay at the simulated gateway; the order as placed."""
        placed = self.client.place_order()
        self.step(
            "POST /api/v1/orders (two variants, quantity 2 and 1)",
            f"201, #{placed['order_number']} {placed['status']}, "
            f"{placed['total_amount']} BDT, pay at {placed['payment']['paymentGatewayUrl']}",
        )
        answer = self.client.pay(placed["payment"]["paymentGatewayUrl"])
        self.step("the customer presses Pay on the gateway's page", f"back at {answer.url[:60]}...")
        return placed

    def sale(self) -> None:
        self.chapter("1. A voucher is bought, paid and delivered")
        placed = self.buy()
        order = self.client.wait_for(placed["id"], "SUCCEEDED")
        codes = order["voucher_codes"]
        self.step(f"GET /api/v1/orders/{order['order_number']}", f"SUCCEEDED, codes {codes}")
        mails = self.client.mails(RECIPIENT)
        self.step("the recipient's inbox", f"{len(mails)} mail: {mails[-1]['subject']!r}")
        items = [code for item in order["items"] for code in item["voucher_codes"]]
        text = str(mails[-1]["text"])
        self.promise("one code per unit, all different", len(set(codes)) == len(codes) == UNITS)
        self.promise("the same codes at order and item level", items == codes)
        self.promise("one mail for the whole order", len(mails) == 1)
        self.promise("the mail carries exactly these codes", all(code in text for code in codes))

    def broken(self) -> dict[str, Any]:
        self.client.control("POST", "zendit/preset", {"preset": "out_of_stock"})
        self.step("the partner is switched to 'out of stock'", "every purchase is refused")
        placed = self.buy()
        order = self.client.wait_for(placed["id"], "NEEDS_ATTENTION")
        alerts = self.desk(order)["alerts"]
        self.step("the order", f"NEEDS_ATTENTION, customer reads: {order['status_message']!r}")
        self.step("the operators' alert", f"{alerts[0]['type']}: {alerts[0]['message']}")
        told = order["status_label"] + order["status_message"]
        self.promise("a paid customer never reads 'failed'", "fail" not in told.lower())
        self.promise("an alert is open", bool(alerts))
        return order

    def desk(self, order: dict[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = self.client.admin("GET", f"/admin/orders/{order['id']}")["data"]
        return data

    def repair_by_hand(self) -> None:
        self.chapter("2. The partner is out of stock; an operator types the codes")
        order = self.broken()
        (owing,) = [item for item in self.desk(order)["items"] if item["owed"]]
        self.client.mail_server("refuse")
        codes = [f"HAND-{order['order_number']}-{unit}" for unit in (1, 2)]
        body = {
            "orderItemId": owing["order_item_id"],
            "codes": [{"code": code} for code in codes],
            "notes": "from the supplier's e-mail",
        }
        refused = self.client.recover(order["id"], "manual-code", body)
        self.step(
            "POST .../fulfillment/manual-code, with the mail server refusing",
            f"{refused['data']['status']}: {refused['message']}",
        )
        self.promise(
            "codes saved, mail not sent: the answer says so",
            refused["data"]["status"] == "DISPATCH_FAILED" and not refused["data"]["emailSent"],
        )
        self.client.mail_server("accept")
        answer = self.client.recover(order["id"], "manual-code", body)
        self.step("the same request again", f"{answer['data']['status']}: {answer['message']}")
        repaired = self.client.order(order["id"])
        self.promise("the same request delivers later", repaired["status"] == "SUCCEEDED")
        self.promise("nothing lost, nothing doubled", len(set(repaired["voucher_codes"])) == UNITS)
        self.promise("the alert closed itself", not self.desk(order)["alerts"])

    def repair_by_retry(self) -> None:
        self.chapter("3. The outage is over; an operator asks the partner again")
        order = self.broken()
        self.client.all_well()
        (owing,) = [item for item in self.desk(order)["items"] if item["owed"]]
        body = {"orderItemId": owing["order_item_id"], "notes": "the outage is over"}
        answer = self.client.recover(order["id"], "partner-retry", body)
        self.step("POST .../fulfillment/partner-retry", answer["message"])
        repaired = self.client.order(order["id"])
        self.promise("the retry delivers what was owed", repaired["status"] == "SUCCEEDED")
        again = self.client.recover(order["id"], "resend-email", {"notes": "asked by phone"})
        self.step("POST .../fulfillment/resend-email", again["message"])
        self.promise("the mail can be sent again", again["success"] is True)
        trail = [f"{each['type']} {each['status']}" for each in self.client.attempts(order["id"])]
        self.step("GET .../fulfillment-attempts", "; ".join(reversed(trail)))
        self.promise("every attempt is in the audit trail", "PARTNER_RETRY DISPATCHED" in trail)
        bought = self.client.control("GET", "zendit/ledger")["purchases"]
        self.promise("no purchase was charged twice", all(row["charges"] <= 1 for row in bought))

    def table(self) -> bool:
        self.chapter("Promises")
        for text, kept in self.promises:
            print(f"  {'kept  ' if kept else 'BROKEN'}  {text}")
        return all(kept for _, kept in self.promises)


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        print("Opening a shop for this story: database, broker, web, worker, simulators, mail")
        try:
            with Shop.fresh(extra_env=QUICK, say=lambda text: print(f"  {text}")) as shop:
                story = Story(ShopClient(shop.url, shop.simulators_url))
                story.sale()
                story.repair_by_hand()
                story.repair_by_retry()
                kept = story.table()
        except (StoryError, SetupProblem) as error:
            raise CommandError(str(error)) from None
        if not kept:
            raise CommandError("A promise was broken.")
        print(f"\nAll promises kept, in {time.monotonic() - story.started:.0f} s.")
