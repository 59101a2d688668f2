"""The port for text messages. Which adapter is used follows from `SMS_URL` alone."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import requests
from django.conf import settings

from core.db import durable
from core.http import Outbound
from core.logging import get_logger
from core.providers import Declined

log = get_logger(__name__)
ANSWER_SECONDS = 4.0
"""A customer waits for it (D50)."""


class SmsSender(Protocol):
    def send(self, to: str, text: str) -> None:
        """Hand over one message to `8801XXXXXXXXX`; any `ProviderError` if that failed."""


@dataclass(frozen=True, slots=True)
class ConsoleSms:
    """Tells that there was a message; its text, which holds a secret, on a local machine only."""

    show_text: bool = False

    def send(self, to: str, text: str) -> None:
        shown = {"to": to, "text": text} if self.show_text else {"to": f"{to[:5]}*****{to[-3:]}"}
        log.info("sms.console", **shown)


@dataclass(frozen=True, slots=True)
class HttpSms:
    """Posts `{"to", "text"}` as JSON: the demo's inbox, or a small bridge to a provider."""

    url: str
    token: str = ""

    @durable
    def send(self, to: str, text: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = requests.Request("POST", self.url, json={"to": to, "text": text}, headers=headers)
        answer = Outbound("sms", answer_seconds=ANSWER_SECONDS).send(request, repeatable=False)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Declined("sms", "the message was refused", raw_code=str(answer.status))


def get_sender() -> SmsSender:
    url: str = settings.SMS_URL
    if url:
        return HttpSms(url=url, token=settings.SMS_TOKEN)
    return ConsoleSms(show_text=str(settings.SETTINGS_MODULE).endswith(".local"))
