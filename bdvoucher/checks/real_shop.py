"""What is only wrong where real customers are: no TLS, public secrets, mail to nobody."""

import os
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.checks import CheckMessage

from bdvoucher.checks.keys import JWT_LENGTH
from bdvoucher.checks.messages import MAKE_TEXT, error, note, warning
from bdvoucher.checks.providers import addresses, used, web_address

#: Backends that take a mail and bring it to nobody.
MAIL_TO_NOBODY: Final = ("console", "dummy", "filebased", "locmem")


def browser_origins_of_a_real_shop() -> Iterator[CheckMessage]:
    for entry in settings.CORS_ALLOWED_ORIGINS:
        if web_address(entry).scheme != "https":
            yield error(
                60,
                f"Pages of {entry} may call the API, and travel without TLS.",
                "Write https:// origins into CORS_ALLOWED_ORIGINS.",
            )


def return_addresses_of_a_real_shop() -> Iterator[CheckMessage]:
    for entry in settings.RETURN_ADDRESSES:
        if web_address(entry).scheme != "https":
            yield error(
                59,
                f"Customers would be sent to {entry} without TLS.",
                "Write https:// addresses into RETURN_ADDRESSES.",
            )


def addresses_of_a_real_shop() -> Iterator[CheckMessage]:
    public = web_address(settings.PUBLIC_BASE_URL)
    if public.scheme != "https":
        yield error(
            50,
            "PUBLIC_BASE_URL is not https: payment callbacks and return pages stand below it.",
            "Set PUBLIC_BASE_URL to the shop's https:// address.",
        )
    elif not _allowed(public.hostname or ""):
        yield error(
            51,
            f"{public.hostname}, where gateways call back, is not an allowed host.",
            "Put the host of PUBLIC_BASE_URL into ALLOWED_HOSTS.",
        )
    for slug in used():
        for name, url in addresses(slug).items():
            if url.scheme != "https":
                yield error(
                    52,
                    f"{slug} is asked without TLS, or it is a simulator.",
                    f"Set {name} to the provider's https:// address.",
                )


def _allowed(host: str) -> bool:
    return any(
        host == name.lower() or name == "*" or (name.startswith(".") and host.endswith(name))
        for name in settings.ALLOWED_HOSTS
    )


def known_secrets() -> Iterator[CheckMessage]:
    """Demo and test secrets stand in the source, so everybody has them."""
    from bdvoucher.local.environment import DEMO_CREDENTIALS, TEST_SECRETS

    used = {
        "SECRET_KEY": settings.SECRET_KEY,
        "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
        "CODE_KEYS": os.environ.get("CODE_KEYS", ""),
        "CODE_FINGERPRINT_KEY": os.environ.get("CODE_FINGERPRINT_KEY", ""),
        **{name: getattr(settings, name, "") for name in DEMO_CREDENTIALS},
    }
    public = {**TEST_SECRETS, **DEMO_CREDENTIALS}
    found = [name for name, value in used.items() if value and value == public.get(name)]
    if found:
        yield error(
            53,
            f"{', '.join(found)}: these are the public ones of the demo or of the tests.",
            "Set them to secrets that only this shop has.",
        )


def receivers_of_a_real_shop() -> Iterator[CheckMessage]:
    if settings.WEBHOOK_ALLOW_LOOPBACK:
        yield error(
            62,
            "Webhooks may be sent to this machine itself, and without TLS.",
            "Leave WEBHOOK_ALLOW_LOOPBACK empty: it is for a demo and for tests.",
        )


def mail_of_a_real_shop() -> Iterator[CheckMessage]:
    kind = settings.EMAIL_BACKEND.removeprefix("django.core.mail.backends.").split(".")[0]
    if kind in MAIL_TO_NOBODY:
        yield error(
            54,
            f"Mail goes to {settings.EMAIL_BACKEND}: no customer would get a code.",
            "Set EMAIL_URL to a mail server, or EMAIL_BACKEND to a provider of django-anymail.",
        )
    elif kind == "smtp" and not _is_local(settings.EMAIL_HOST) and not _mail_is_encrypted():
        yield warning(
            55,
            f"Codes travel to {settings.EMAIL_HOST} without TLS.",
            "Write EMAIL_URL with smtp+tls:// or smtp+ssl://.",
        )


def _mail_is_encrypted() -> bool:
    return bool(settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)


def _is_local(host: str | None) -> bool:
    return (host or "") in {"localhost", "127.0.0.1", "::1"}


def people_of_a_real_shop() -> Iterator[CheckMessage]:
    """Who signs up, and whose tries are counted."""
    if not settings.SMS_URL:
        yield note(
            56,
            "One-time passwords are sent to nobody, so no customer can sign up.",
            "Set SMS_URL to where text messages are posted.",
        )
    elif web_address(settings.SMS_URL).scheme != "https":
        yield error(
            57, "One-time passwords travel without TLS.", "Set SMS_URL to an https:// address."
        )
    if settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        yield note(
            58,
            "A proxy ends TLS, but its address counts as every customer's: they share one limit.",
            "Set TRUSTED_PROXIES to how many proxies of your own stand in front.",
        )


def metrics_are_guarded() -> Iterator[CheckMessage]:
    if 0 < len(settings.METRICS_TOKEN) < JWT_LENGTH:
        yield error(
            61,
            "METRICS_TOKEN is short enough to be guessed: turnover and stock are behind it.",
            f"Set METRICS_TOKEN to a random text, or leave it empty: {MAKE_TEXT}",
        )


def staff_have_a_second_factor() -> Iterator[CheckMessage]:
    if not settings.SECOND_FACTOR_REQUIRED:
        yield warning(
            63,
            "A stolen password of one of the staff opens every code: no second factor is asked.",
            "Set SECOND_FACTOR_REQUIRED=true; who has none is led to set one up.",
        )
