"""A world of answers written down beforehand, with the network closed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import responses

from core.tests.wire import TRANSPORT
from payments.gateways.base import (
    Known,
    PaymentGateway,
    RefundingGateway,
    RefundRequest,
    SessionRequest,
)

AMOUNT: Final = Decimal("1500.00")
OTHER_AMOUNT: Final = Decimal("15.00")
REFERENCE: Final = "BDV-48213377-1"

REQUEST: Final = SessionRequest(
    reference=REFERENCE,
    amount=AMOUNT,
    description="Order 48213377",
    callback_url="https://shop.example/api/v1/payments/gateway/callback",
    customer_name="Rahima Begum",
    customer_email="rahima@example.com",
    customer_msisdn="8801712345678",
)


def known(
    gateway_reference: str, *, reference: str = REFERENCE, execute_sent: bool = False
) -> Known:
    return Known(
        reference=reference,
        gateway_reference=gateway_reference,
        amount=AMOUNT,
        execute_sent=execute_sent,
    )


class Canned:
    """A world of answers written down beforehand, with the network closed."""

    def __init__(
        self,
        wire: responses.RequestsMock,
        gateway: PaymentGateway,
        *,
        open_url: str,
        opening: Mapping[str, dict[str, Any]],
        verify_url: str,
        verifying: Mapping[str, dict[str, Any]],
        gateway_reference: str,
    ) -> None:
        self.wire = wire
        self.gateway = gateway
        self.open_url = open_url
        self.opening = {**TRANSPORT, **opening}
        self.verify_url = verify_url
        self.verifying = {**TRANSPORT, **verifying}
        self.gateway_reference = gateway_reference

    def next_session(self, situation: str) -> None:
        self.wire.post(self.open_url, **self.opening[situation])

    def payment(self, situation: str) -> Known:
        self.wire.post(self.verify_url, **self.verifying[situation])
        return known(self.gateway_reference)


class CannedRefunds:
    """The same for refunds."""

    def __init__(
        self,
        wire: responses.RequestsMock,
        gateway: RefundingGateway,
        request: RefundRequest,
        *,
        refund_url: str,
        refunding: Mapping[str, dict[str, Any]],
        query_url: str,
        querying: Mapping[str, dict[str, Any]],
        method: str = responses.POST,
    ) -> None:
        self.wire = wire
        self.gateway = gateway
        self.request = request
        self.refund_url, self.query_url, self.method = refund_url, query_url, method
        self.refunding = {**TRANSPORT, **refunding}
        self.querying = querying

    def paid_back(self, situation: str) -> RefundRequest:
        self.wire.upsert(self.method, self.refund_url, **self.refunding[situation])
        return self.request

    def asked(self, request: RefundRequest, situation: str) -> RefundRequest:
        self.wire.upsert(self.method, self.query_url, **self.querying[situation])
        return request
