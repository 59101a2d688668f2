"""What is missing, unsafe or at odds in the settings, each with the variable that mends it.

The first group runs with every command; those that need `--deploy` speak of a real shop. An empty
`SECRET_KEY` is refused by a library before any check can run, in as clear a sentence.
"""

from typing import Any, Final

from django.core.checks import Tags, register

from bdvoucher.checks import keys, providers, real_shop, times
from bdvoucher.checks.messages import Check, listed

ALWAYS: Final = (
    keys.signing_keys,
    keys.code_keys,
    providers.providers,
    providers.limits,
    providers.return_addresses,
    providers.points,
    providers.usable_gateways,
    times.machinery,
    times.durations,
    times.leases,
)
DEPLOYED: Final = (
    real_shop.addresses_of_a_real_shop,
    real_shop.browser_origins_of_a_real_shop,
    real_shop.return_addresses_of_a_real_shop,
    providers.credentials,
    real_shop.known_secrets,
    real_shop.mail_of_a_real_shop,
    real_shop.people_of_a_real_shop,
    real_shop.metrics_are_guarded,
    real_shop.receivers_of_a_real_shop,
    real_shop.staff_have_a_second_factor,
)


#: Made once: the apps may be loaded again (in tests), and a check is to be registered once.
_CHECKS: Final[list[tuple[Check, dict[str, Any]]]] = [(listed(find), {}) for find in ALWAYS] + [
    (listed(find), {"deploy": True}) for find in DEPLOYED
]


def register_all() -> None:
    """Called once the apps are loaded."""
    for check, options in _CHECKS:
        register(check, Tags.security, **options)
