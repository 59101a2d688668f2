"""Execute: the only call that moves a payer's money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault

from .answers import refuse
from .records import BLOCKED_WALLET, CANCEL, POOR_WALLET, Payment, other_amount

if TYPE_CHECKING:
    from .service import Bkash

EXECUTE_FAULTS: Final[Mapping[str, str]] = {
    "declined": "2023, no money moves; 2117 ever after",
    "wrong_pin": "2014, no money moves; 2117 ever after",
    "duplicate": "2029, no money moves; 2117 ever after",
    "pending": "answered `code` (2127); the money moves after `seconds` (5, null: never)",
    "moved_but_refused": "the money moves, the answer is `code` (2003)",
    "takes_amount": "another sum is taken (`amount`), and every answer says so",
}
REFUSALS: Final = {"declined": "2023", "wrong_pin": "2014", "duplicate": "2029"}


def execute(service: Bkash, payment: Payment, fault: Fault | None) -> None:
    """Move the money, or leave with a refusal."""
    check_state(payment)
    payment.execute_called = True
    if not payment.verified:
        refuse("2056")
    check_payer(service, payment)
    name = fault.fault if fault else ""
    if name in REFUSALS:
        refuse(REFUSALS[name])
    if fault and name == "pending":
        payment.waiting = True
        seconds = fault.seconds(5)
        if seconds is not None:
            service.at(seconds, "complete", payment_id=payment.payment_id)
        refuse(fault.text("code", "2127"))
    if fault and name == "takes_amount":
        service.capture(payment, fault.text("amount", other_amount(payment.amount)))
        return
    service.capture(payment)
    if fault and name == "moved_but_refused":
        refuse(fault.text("code", "2003"))


def check_state(payment: Payment) -> None:
    if payment.done:
        refuse("2062")
    if payment.execute_called:
        refuse("2117")
    if payment.payer == CANCEL:
        refuse("2069")


def check_payer(service: Bkash, payment: Payment) -> None:
    if payment.wallet == POOR_WALLET:
        refuse("2023")
    if payment.wallet == BLOCKED_WALLET:
        refuse(service.settings["debit_blocked_code"])
    since = service.clock.now() - service.settings["duplicate_window"]
    for other in service.payments.values():
        same = (other.wallet, other.amount) == (payment.wallet, payment.amount)
        if same and other.done and other.executed_at > since:
            refuse("2029")
