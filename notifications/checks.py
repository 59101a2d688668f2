"""What a shop that mails through a provider has forgotten to set (`manage.py check --deploy`)."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, Warning as CheckWarning

from notifications.webhooks import PROVIDERS, configured_provider, is_guarded, setting


def mail_provider(app_configs: Any, **_: Any) -> list[CheckMessage]:
    del app_configs  # settings belong to no app
    return list(_found(configured_provider()))


def _found(name: str) -> Iterator[CheckMessage]:
    provider = PROVIDERS.get(name)
    if provider is None:
        if name:
            yield CheckWarning(
                f"Nothing that {name} tells of delivered or bounced mails is read.",
                hint=f"Set MAIL_PROVIDER to one of {', '.join(PROVIDERS)}.",
                id="notifications.W001",
            )
        return
    missing = [each for each in provider.needs if not setting(each)]
    if missing:
        yield Error(
            f"Mail goes through {name}, but its credentials are not complete.",
            hint=f"Set {', '.join(f'ANYMAIL_{each}' for each in missing)}.",
            id="notifications.E001",
        )
    if not is_guarded(provider):
        yield Error(
            f"What {name} tells of its mails can't be told from a forgery, so it is refused.",
            hint=f"Set {' or '.join(f'ANYMAIL_{each}' for each in provider.guards)}.",
            id="notifications.E002",
        )
    if name == "amazon_ses" and find_spec("boto3") is None:
        yield Error(
            "Amazon SES is asked through boto3, which is not installed.",
            hint="pip install 'django-anymail[amazon-ses]'",
            id="notifications.E003",
        )
