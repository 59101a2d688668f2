"""What a payment gateway is to us: a way to open a session, and the truth about it later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a gateway needs to open a session for one payment."""

    reference: str
    """Our `BDV-<order_number>-<n>`; an adapter may leave the dashes out."""
    amount: Decimal
    """Taka (BDT), two decimals."""
    description: str
    callback_url: str
    customer_name: str
    customer_email: str
    customer_msisdn: str
    """`8801XXXXXXXXX`, or empty."""
    notice_url: str = ""
    """Where the gateway's server, and no browser, tells us; for those that tell the two apart."""
    customer_address: str = ""
    """The IP address the customer's request came from, as far as no header can lie about it."""


@dataclass(frozen=True, slots=True)
class Session:
    redirect_url: str
    """Where the customer pays."""
    gateway_reference: str
    """How the gateway calls this payment; it may be our own reference."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Which payment a callback says it is about. Nothing else in it is believed."""

    reference: str = ""
    """Our reference as the gateway writes it, if the notice carries it."""
    gateway_reference: str = ""
    gateway_transaction_id: str = ""
    """The movement it is about, if it says so: one we don't know yet is a reason to ask again."""
    left: "Outcome | None" = None
    """FAILED or CANCELLED: how the payer left the page. It counts only where money moves by our
    own capture alone, none was sent, and the gateway says that nothing was taken."""


class Outcome(Enum):
    """What a gateway says of a payment when *we* ask."""

    PAID = "paid"
    AUTHORIZED = "authorized"
    PENDING = "pending"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """An answer we can't place: never a no (reference README: "unclear answer")."""
    REFUNDED = "refunded"
    """Paid, and given back at the gateway by somebody's hand: a person has to look at it."""
    FOREIGN = "foreign"
    """An answer about another reference or merchant: not about this payment (D15)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gateway's answer to our own question about one payment."""

    outcome: Outcome
    amount: Decimal | None = None
    """Taka the customer was charged for our request; set when PAID or AUTHORIZED."""
    currency: str = "BDT"
    gateway_transaction_id: str = ""
    """The provider's own id of the money movement; must be new (I5)."""
    reason: str = ""
    """Plain words for the timeline; no secret, no payer data."""
    risky: bool = False
    """Paid, but the provider asks to hold the goods (D44)."""
    also_paid: tuple[str, ...] = ()
    """Further movements under the same reference: money a person has to give back (D15)."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Scrubbed fields of the answer, kept for operators."""
    unless_captured: bool = False
    """True only as long as no capture of ours was sent; else it decides nothing."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a payer has agreed to on our page, and what the operator told us about it since."""

    carrier: str
    subscriber: str
    """As the operator is told: `tel:8801XXXXXXXXX`, or an opaque id it gave us; just a text."""
    given: bool = False
    """The payer typed the right password. Nothing is charged before."""
    correlator: str = ""
    """How the operator calls its own one-time password, where it sends one."""
    internal_id: str = ""
    """How the operator called this charge when it was begun."""
    notices: tuple[str, ...] = field(default=(), repr=False)
    """Bodies of the notifications that came from the operator's own addresses, oldest first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we stored of a payment, all an adapter needs to ask for it."""

    reference: str
    gateway_reference: str
    amount: Decimal
    execute_sent: bool = False
    """A capture of ours was sent once; from then on we only ask."""
    gateway_transaction_id: str = ""
    """The movement that counts already, where there may be several under one reference."""
    consent: Consent | None = None
    """Carrier billing: what the payer has agreed to on our page."""


class PaymentGateway(Protocol):
    """One file per provider implements this; errors are the four of `core.providers`.

    None of the methods may run inside a transaction (`core.db.durable`).
    """

    slug: ClassVar[str]

    def open_session(self, request: SessionRequest) -> Session:
        """Open a hosted payment page. A second call under the same reference is never made.

        Raises:
            Declined: refused; another try needs a new reference.
            Unavailable, OutcomeUnknown, Misconfigured: see `core.providers`.
        """

    def read_callback(self, *, query: Mapping[str, str], body: bytes, content_type: str) -> Claim:
        """Which payment a callback names; an empty claim if it names none. Believes nothing."""

    def verify(self, known: Known) -> Verdict:
        """Ask the gateway what became of *our* payment. Repeatable; moves no money.

        Raises:
            Unavailable: ask again later.
            Misconfigured: our credentials are refused.
        """


class RefundState(Enum):
    """What a gateway says of a refund."""

    DONE = "done"
    """The money is on its way back; final."""
    PENDING = "pending"
    """Accepted and at work: ask again."""
    REFUSED = "refused"
    """A definite no; nothing moved."""
    NOT_FOUND = "not_found"
    """The gateway knows of no such refund (yet): some minutes later it may be sent again."""
    UNKNOWN = "unknown"
    """An answer we can't place: ask again, never send again."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What a gateway needs to pay back a part of one payment, or to tell what became of it."""

    reference: str
    """Ours, `<payment>-R<n>`; the same however often it is sent."""
    amount: Decimal
    reason: str
    payment: Known
    gateway_transaction_id: str
    """How the gateway calls the movement that is paid back."""
    paid_at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the answer that said PAID left with us (SSLCommerz needs its `bank_tran_id`)."""
    gateway_refund_id: str = ""
    """How the gateway calls this refund, once it has said so."""
    sent_before: bool = False
    """It left once already, and nobody knows how that ended."""
    earlier: frozenset[str] = frozenset()
    """The gateway's ids of this payment's refunds before this one; one is open at a time."""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    state: RefundState
    gateway_refund_id: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Scrubbed fields of the answer, kept for operators."""


@runtime_checkable
class RefundingGateway(PaymentGateway, Protocol):
    """A gateway with a refund call. Without one a refund is a task for a person."""

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Pay back. Sent once, until `query_refund` says that it never arrived.

        Raises:
            Declined: a definite no; nothing moved.
            Unavailable: surely not sent.
            OutcomeUnknown: ask with `query_refund`, never send again by itself.
            Misconfigured: our credentials are refused, or our address is not allowed.
        """

    def query_refund(self, request: RefundRequest) -> RefundAnswer:
        """What became of it. Repeatable; never makes a second refund.

        Raises:
            Unavailable: ask again later.
            Misconfigured: our credentials are refused.
        """


@runtime_checkable
class NotifyingGateway(PaymentGateway, Protocol):
    """A gateway whose own notice decides, since it has no query call (Applink, carrier billing)."""

    def believes(self, sender: str) -> bool:
        """Whether a notice from this address is the gateway's."""


class CapturingGateway(PaymentGateway, Protocol):
    """A gateway whose money moves only when we say so (bKash `execute`).

    `payments.verification` calls `verify` first; on `ready_to_capture` it stores that
    capture was sent, commits, and calls `capture` exactly once per payment.
    """

    def ready_to_capture(self, verdict: Verdict) -> bool:
        """Whether the payer has confirmed and only our capture is missing."""

    def capture(self, known: Known) -> Verdict:
        """Take the money. Sent at most once per payment; an unclear answer is PENDING.

        Raises:
            OutcomeUnknown: ask with `verify`, never capture again.
            Unavailable: surely not sent.
        """
