import re
from dataclasses import dataclass, field

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts import sms


@pytest.fixture(autouse=True)
def _uncounted():
    """Counters of other tests, which share an address, would refuse ours."""
    cache.clear()


@dataclass
class Phone:
    """Everybody's: what was sent, newest last."""

    messages: list[tuple[str, str]] = field(default_factory=list)

    def send(self, to: str, text: str) -> None:
        self.messages.append((to, text))

    @property
    def code(self) -> str:
        return re.search(r"\d{6}", self.messages[-1][1])[0]


@pytest.fixture
def phone(monkeypatch):
    phone = Phone()
    monkeypatch.setattr(sms, "get_sender", lambda: phone)
    return phone


@pytest.fixture
def api():
    return APIClient()
