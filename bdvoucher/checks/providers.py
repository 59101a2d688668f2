"""Gateways and partners: what is enabled exists, has an address and what it needs to work."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage

from bdvoucher.checks.messages import error, warning
from core.providers import Misconfigured
from fulfillment.partners.registry import PARTNERS
from payments.gateways.registry import GATEWAYS, get_gateway
from payments.limits import Limits
from payments.returning import is_return_address

#: What an adapter cannot work without.
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "paystation": ("PAYSTATION_MERCHANT_ID", "PAYSTATION_PASSWORD", "PAYSTATION_PAGE_HOST"),
    "dcb": ("DCB_CARRIERS",),  # and what each of them needs
    "bkash": ("BKASH_APP_KEY", "BKASH_APP_SECRET", "BKASH_USERNAME", "BKASH_PASSWORD"),
    "sslcommerz": ("SSLCOMMERZ_STORE_ID", "SSLCOMMERZ_STORE_PASSWORD"),
    "nagad": (
        "NAGAD_MERCHANT_ID",
        "NAGAD_MERCHANT_PRIVATE_KEY",
        "NAGAD_GATEWAY_PUBLIC_KEY",
        "NAGAD_PAGE_HOST",
    ),
    "zendit": ("ZENDIT_API_KEY",),
    "reloadly": ("RELOADLY_CLIENT_ID", "RELOADLY_CLIENT_SECRET", "RELOADLY_AUDIENCE"),
}
#: Addresses beside the base URL that credentials or codes travel to.
FURTHER_ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {"reloadly": ("RELOADLY_AUTH_URL",)}
DCB_CARRIERS: Final = frozenset({"bdapps", "applink"})


def providers() -> Iterator[CheckMessage]:
    if not settings.PAYMENT_METHODS:
        yield error(
            20,
            "No payment method is enabled: nothing can be sold.",
            f"Set PAYMENT_METHODS to some of: {', '.join(sorted(GATEWAYS))}.",
        )
    for slug in settings.PAYMENT_METHODS:
        if slug not in GATEWAYS:
            yield error(
                21,
                f"Payment method {slug!r} is enabled, but there is no such gateway.",
                f"PAYMENT_METHODS may name: {', '.join(sorted(GATEWAYS))}.",
            )
    for slug in settings.VOUCHER_PARTNERS:
        if slug not in PARTNERS:
            yield error(
                24,
                f"Voucher partner {slug!r} is in use, but there is no such adapter.",
                f"VOUCHER_PARTNERS may name: {', '.join(sorted(PARTNERS))}.",
            )
    if "dcb" in settings.PAYMENT_METHODS and not set(settings.DCB_CARRIERS) <= DCB_CARRIERS:
        yield error(
            26,
            "DCB_CARRIERS names an operator that there is none of.",
            "Set it to some of: bdapps, applink.",
        )
    for slug in used():
        for name, url in addresses(slug).items():
            if not url.hostname:
                yield error(23, f"{slug} has no usable address.", f"Set {name} to a URL.")


def usable_gateways() -> Iterator[CheckMessage]:
    """What is set is no use to its adapter: a key that can't be read, say. Gaps are E022's."""
    for slug in settings.PAYMENT_METHODS:
        complete = all(getattr(settings, name, "") for name in CREDENTIALS.get(slug, ()))
        if slug not in GATEWAYS or not complete:
            continue
        try:
            get_gateway(slug)
        except Misconfigured as exc:
            yield error(
                29,
                f"{slug} can't be used: {exc.message}.",
                f"Mend it, or take {slug} off PAYMENT_METHODS.",
            )


def limits() -> Iterator[CheckMessage]:
    for entry in settings.GATEWAY_LIMITS:
        try:
            slug, _ = Limits.read(entry)
        except (ValueError, ArithmeticError):
            slug = ""
        if slug not in GATEWAYS:
            yield error(
                19,
                f"GATEWAY_LIMITS can't be read at {entry!r}.",
                "Write <gateway>:<least>-<most> in BDT, and :whole for whole taka only.",
            )


def points() -> Iterator[CheckMessage]:
    """Points are credited through a partner that is set up in full, or not at all."""
    address, key = settings.POINTS_BRIDGE_BASE_URL, settings.POINTS_BRIDGE_API_KEY
    if bool(address) != bool(key):
        missing = "POINTS_BRIDGE_API_KEY" if address else "POINTS_BRIDGE_BASE_URL"
        yield error(
            28,
            "The points partner is set up by half: no points can be credited.",
            f"Set {missing}, or leave both empty where no points are transferred.",
        )
    elif address and not web_address(address).hostname:
        yield error(
            28, "The points partner has no usable address.", "Set POINTS_BRIDGE_BASE_URL to a URL."
        )


def return_addresses() -> Iterator[CheckMessage]:
    for entry in settings.RETURN_ADDRESSES:
        if not is_return_address(entry):
            yield error(
                27,
                f"RETURN_ADDRESSES can't be used at {entry!r}.",
                "Write origin and path in full, without query, such as https://app.example.com/paid",
            )


def credentials() -> Iterator[CheckMessage]:
    """Of a real shop: on a developer's machine they come with the running shop alone."""
    for slug in used():
        missing = [name for name in _credentials(slug) if not getattr(settings, name, "")]
        if missing:
            yield error(
                22,
                f"{slug} is in use, but its credentials are not complete.",
                f"Set {', '.join(missing)}.",
            )
    for slug in settings.VOUCHER_PARTNERS:
        if slug in PARTNERS and not getattr(settings, f"{slug.upper()}_WEBHOOK_SECRET", ""):
            yield warning(
                25,
                f"Every webhook of {slug} is refused: its purchases are followed by plan alone.",
                f"Set {slug.upper()}_WEBHOOK_SECRET, and the same in the partner's console.",
            )


def used() -> list[str]:
    gateways = [slug for slug in settings.PAYMENT_METHODS if slug in GATEWAYS]
    return gateways + [slug for slug in settings.VOUCHER_PARTNERS if slug in PARTNERS]


def addresses(slug: str) -> dict[str, SplitResult]:
    """The settings that say where a provider answers; carrier billing has one per operator."""
    names = [f"{slug.upper()}_BASE_URL", *FURTHER_ADDRESSES.get(slug, ())]
    if slug == "dcb":
        names = [f"DCB_{carrier.upper()}_BASE_URL" for carrier in _carriers()]
    return {name: web_address(str(getattr(settings, name, ""))) for name in names}


def _carriers() -> list[str]:
    return [carrier for carrier in settings.DCB_CARRIERS if carrier in DCB_CARRIERS]


def _credentials(slug: str) -> list[str]:
    known = list(CREDENTIALS.get(slug, ()))
    if slug != "dcb":
        return known
    carriers = [carrier.upper() for carrier in _carriers()]
    names = [f"DCB_{each}_{what}" for each in carriers for what in ("APP_ID", "PASSWORD")]
    return [*known, *names, *["DCB_NOTIFICATION_SENDERS"] * ("APPLINK" in carriers)]


def web_address(text: str) -> SplitResult:
    """Its parts; none of them where it can't be read."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return urlsplit("")
    return parts if parts.scheme in {"http", "https"} else urlsplit("")
