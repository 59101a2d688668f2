"""How the envelope is described in the API's schema."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers


class DetailSchema(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path of the field, `items.0.quantity`.")
    code = serializers.CharField()
    message = serializers.CharField()


class ErrorContentSchema(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="BAD_REQUEST, CONFLICT, NOT_FOUND, UNAUTHORIZED, ...")
    details = DetailSchema(many=True)
    correlation_id = serializers.CharField()


class ErrorSchema(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    error = ErrorContentSchema()


def enveloped(name: str, data: Any) -> Any:
    """`{success, message, data}` around a data serializer, for the schema."""
    return inline_serializer(
        name,
        {"success": serializers.BooleanField(), "message": serializers.CharField(), "data": data},
    )


def paged(name: str, item: type[serializers.Serializer[Any]]) -> Any:
    """An enveloped list as D3 says."""
    data = inline_serializer(
        f"{name}Page",
        {
            "items": item(many=True),
            "page": serializers.IntegerField(),
            "limit": serializers.IntegerField(),
            "total": serializers.IntegerField(),
            "total_pages": serializers.IntegerField(),
        },
    )
    return enveloped(name, data)


def errors(*statuses: int) -> dict[int, Any]:
    """The documented refusals of an operation."""
    return dict.fromkeys(statuses, ErrorSchema)


def only_versioned(
    endpoints: list[tuple[str, str, str, Any]], **_: object
) -> list[tuple[str, str, str, Any]]:
    """The literal paths of the seeds answer by the same views; one description is enough (D1)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]
