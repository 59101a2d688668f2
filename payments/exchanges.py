"""Everything we ask a gateway is kept: what was asked, what came back, how long it took.

What an adapter hands out is scrubbed already (`Verdict.evidence`); a body or header of the
gateway is never here.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.db.models import F
from django.utils import timezone

from core import correlation
from core.providers import ProviderError
from payments.gateways.base import RefundAnswer, Session, Verdict
from payments.models import GatewayExchange, Payment, Refund

T = TypeVar("T", Session, Verdict, RefundAnswer)

Told = tuple[str, str, Mapping[str, Any]]
"""The outcome in a word, its reason, the evidence."""

#: The same answer again within this time is counted, not written again.
TOGETHER: Final = timedelta(hours=6)


def kept(asked: str, call: Callable[[], T], payment: Payment, refund: Refund | None = None) -> T:
    """What `call` answers or raises, written down on the way."""
    started = time.monotonic()
    try:
        answer = call()
    except ProviderError as exc:
        reason = f"{exc.message} ({exc.raw_code})" if exc.raw_code else exc.message
        _keep(payment, refund, asked, (type(exc).__name__, reason, {}), started=started)
        raise
    _keep(payment, refund, asked, _told(answer), started=started)
    return answer


def _told(answer: Session | Verdict | RefundAnswer) -> Told:
    match answer:
        case Session(gateway_reference=name):
            return "opened", f"the gateway calls it {name}" if name else "", {}
        case Verdict(outcome=outcome):
            return str(outcome.value), answer.reason, answer.evidence
        case RefundAnswer(state=state):
            return str(state.value), answer.reason, answer.evidence


def _keep(
    payment: Payment, refund: Refund | None, asked: str, told: Told, *, started: float
) -> None:
    now = timezone.now()
    answer, reason, evidence = told[0], told[1][:300], dict(told[2])
    took = round((time.monotonic() - started) * 1000)
    last = GatewayExchange.objects.filter(payment=payment, refund=refund).last()
    if (
        last is not None
        and last.last_at > now - TOGETHER
        and (asked, answer, reason) == (last.asked, last.answer, last.reason)
        and evidence == last.evidence
    ):
        GatewayExchange.objects.filter(pk=last.pk).update(
            times=F("times") + 1, last_at=now, milliseconds=took
        )
        return
    GatewayExchange.objects.create(
        payment=payment,
        refund=refund,
        asked=asked,
        answer=answer,
        reason=reason,
        evidence=evidence,
        milliseconds=took,
        correlation_id=correlation.current(),
        at=now,
        last_at=now,
    )
