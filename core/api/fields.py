"""How values look outside (D25) and which names a body may carry."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


def instant(value: datetime | None) -> str | None:
    """UTC ISO 8601 with milliseconds and `Z`."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: Decimal | None) -> int | float | None:
    """A JSON number; whole taka without a fraction. Only ever at the outer edge."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses a body field it does not know, by name, instead of ignoring it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {
                        name: [serializers.ErrorDetail("Unknown field.", "unknown")]
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


class NoBody(StrictSerializer):
    """For calls that say all in their address: whatever is sent besides is refused by name."""


@extend_schema_field({"type": "object", "additionalProperties": {}, "maxProperties": 20})
class TrimmedJSONField(serializers.JSONField):
    """A flat JSON object of bounded size."""

    default_error_messages = {
        "not_object": "This must be an object.",
        "too_big": "Too large.",
        "null_character": "Null characters are not allowed.",
    }

    def __init__(self, *, max_keys: int = 20, **kwargs: Any) -> None:
        self.max_keys = max_keys
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("not_object")
        if len(value) > self.max_keys or len(str(value)) > 5000:  # noqa: PLR2004 - a sane bound
            self.fail("too_big")
        if "\\u0000" in json.dumps(value):  # PostgreSQL keeps no such text
            self.fail("null_character")
        return value


class TextField(serializers.CharField):
    """Text only: a number or `true` is a mistake, not a name."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
