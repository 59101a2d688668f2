"""Where bKash's token lives: a store all processes share (contract page bkash, section 2)."""

import os
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import responses

from core.http import Outbound
from core.providers import Unavailable
from payments.gateways.bkash_tokens import Tokens
from payments.gateways.tests.bkash_answers import GRANT, calls, gateway, token


def test_a_real_store_counts_and_keeps(wire: responses.RequestsMock, settings: Any) -> None:
    """Valkey, as in the shop: what one process was granted, the next one uses."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ["REDIS_URL"],
        }
    }
    wire.post(GRANT, **token())
    wire.post(GRANT, **token("token-two"))
    account = replace(gateway().account, app_key=uuid4().hex)
    first, second = (Tokens(Outbound("bkash"), account) for _ in range(2))

    assert (first.current(), second.current()) == ("token-one", "token-one")
    assert (first.current(bad="token-one"), second.current()) == ("token-two", "token-two")
    with pytest.raises(Unavailable) as caught:
        second.current(bad="token-two")

    assert caught.value.retry_after is not None
    assert 3500 < caught.value.retry_after <= 3630
    assert calls(wire, GRANT) == 2
