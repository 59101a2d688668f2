"""Which gateways there are. The only module that names a provider (a plain dict: grep finds it)."""

from collections.abc import Callable, Mapping
from typing import Final

from core.providers import Misconfigured
from payments.gateways.base import PaymentGateway
from payments.gateways.bkash import BkashGateway
from payments.gateways.dcb import REPLY, DcbGateway
from payments.gateways.nagad import NagadGateway
from payments.gateways.paystation import PayStationGateway
from payments.gateways.sslcommerz import SslCommerzGateway

GATEWAYS: Final[Mapping[str, Callable[[float], PaymentGateway]]] = {
    PayStationGateway.slug: PayStationGateway.from_settings,
    BkashGateway.slug: BkashGateway.from_settings,
    SslCommerzGateway.slug: SslCommerzGateway.from_settings,
    NagadGateway.slug: NagadGateway.from_settings,
    DcbGateway.slug: DcbGateway.from_settings,
}

#: What a machine gets that sent a notice we took, where its contract has words of its own.
REPLIES: Final[Mapping[str, Mapping[str, str]]] = {DcbGateway.slug: REPLY}


def get_gateway(slug: str, *, answer_seconds: float = 10.0) -> PaymentGateway:
    """The gateway of that name, with a bound on each answer in seconds (D50).

    Raises:
        Misconfigured: there is no such gateway, or its settings are missing.
    """
    try:
        build = GATEWAYS[slug]
    except KeyError:
        raise Misconfigured(slug, "no such gateway; see payments/gateways/registry.py") from None
    return build(answer_seconds)


def carrier_gateway(*, answer_seconds: float) -> DcbGateway:
    """Carrier billing, for its own page.

    Raises:
        Misconfigured: it is not set up.
    """
    return DcbGateway.from_settings(answer_seconds)
