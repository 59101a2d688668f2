"""What docs/domain/webhooks.md promises a receiver is what we do: its example is run here."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from webhooks.services import rotate_secret
from webhooks.signing import headers
from webhooks.states import ARROWS, EventType
from webhooks.tests.factories import SECRET, DeliveryFactory

PAGE = (Path(settings.BASE_DIR) / "docs" / "domain" / "webhooks.md").read_text(encoding="utf-8")


def test_the_example_knows_ours_from_others(db):
    (code,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)  # noqa: S102 - our own page
    is_ours = told["is_ours"]
    row = DeliveryFactory()
    body, now = row.body.encode(), timezone.now()
    shown = headers(row.endpoint, body, now=now)
    assert is_ours(shown, body, SECRET)
    assert not is_ours(shown, body + b" ", SECRET)
    assert not is_ours(shown, body, "another")
    assert not is_ours({}, body, SECRET)
    fresh = rotate_secret(row.endpoint_id, now=now)
    row.endpoint.refresh_from_db()
    both = headers(row.endpoint, body, now=now)
    assert is_ours(both, body, fresh)
    assert is_ours(both, body, SECRET)


def test_every_type_is_explained():
    said = PAGE.replace("`, `.failed`", "`, `fulfillment_order.failed`")
    assert [each for each in EventType.values if f"`{each}`" not in said] == []


def test_every_state_is_in_the_table():
    rows = dict(re.findall(r"^\| ([A-Z]+) \| (.+) \|$", PAGE, re.MULTILINE))
    assert set(rows) == {each.value for each in ARROWS}
    for state, after in ARROWS.items():
        assert set(re.findall(r"\b[A-Z]{4,}\b", rows[state.value])) == {
            each.value for each in after
        }
