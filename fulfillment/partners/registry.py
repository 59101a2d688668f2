"""Which partners there are. The only module that names one (a plain dict: grep finds it)."""

from collections.abc import Callable, Mapping
from typing import Final

from core.providers import Misconfigured
from fulfillment.partners.base import VoucherPartner, Webhook
from fulfillment.partners.reloadly import ReloadlyPartner
from fulfillment.partners.reloadly_webhook import ReloadlyWebhook
from fulfillment.partners.zendit import ZenditPartner
from fulfillment.partners.zendit_webhook import ZenditWebhook

PARTNERS: Final[Mapping[str, Callable[[float], VoucherPartner]]] = {
    ZenditPartner.slug: ZenditPartner.from_settings,
    ReloadlyPartner.slug: ReloadlyPartner.from_settings,
}
#: Who sends notices to `/api/v1/<slug>/webhook`.
WEBHOOKS: Final[Mapping[str, Callable[[], Webhook]]] = {
    ZenditPartner.slug: ZenditWebhook.from_settings,
    ReloadlyPartner.slug: ReloadlyWebhook.from_settings,
}


def get_partner(slug: str, *, answer_seconds: float = 10.0) -> VoucherPartner:
    """The partner of that name, with a bound on each answer in seconds (D50).

    Raises:
        Misconfigured: there is no such partner, or its settings are missing.
    """
    try:
        build = PARTNERS[slug]
    except KeyError:
        raise Misconfigured(slug, "no such partner; see fulfillment/partners/registry.py") from None
    return build(answer_seconds)
