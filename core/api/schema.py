"""How answers look in the API's schema: the envelope around data, lists and refusals (D2, D3)."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, inline_serializer
from rest_framework import serializers


class ErrorDetailSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path of the field, `items.0.quantity`.")
    code = serializers.CharField()
    message = serializers.CharField()


class ErrorBodySerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="One of the words of the API, such as `BAD_REQUEST`.")
    details = ErrorDetailSerializer(many=True)
    correlation_id = serializers.CharField(help_text="Name it when you ask our support.")


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """Every refusal of the API looks like this (D2)."""

    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    error = ErrorBodySerializer()


WHY = {
    400: "Something in the request is wrong; `error.details` names each field.",
    401: "No valid token, or wrong credentials.",
    403: "The token is good, the right is missing.",
    404: "There is no such thing, or it is somebody else's.",
    409: "The request is fine, the state of things is not.",
    415: "Send JSON.",
    422: "The `Idempotency-Key` was used for another request.",
    429: "Too many tries; `Retry-After` says when another makes sense.",
    502: "Somebody behind us did not answer; try again.",
    503: "Not possible just now; try again in a minute.",
}


def answers(name: str, data: Any, *refusals: int, status: int = 200) -> dict[int, Any]:
    """The `responses` of `extend_schema`: `data` in its envelope, and the refusals by status.

    429, and 401 where a token is needed, are the caller's to name like any other.
    """
    envelope = inline_serializer(
        f"{name}Answer",
        {
            "success": serializers.BooleanField(),
            "message": serializers.CharField(allow_blank=True),
            "data": data,
        },
    )
    refused = {code: OpenApiResponse(ErrorAnswerSerializer, WHY[code]) for code in refusals}
    return {status: OpenApiResponse(envelope, "Done."), **refused}


def example(name: str, data: Any, message: str = "", *, status: int = 200) -> OpenApiExample:
    body = {"success": True, "message": message, "data": data}
    return OpenApiExample(name, value=body, response_only=True, status_codes=[str(status)])


class StrictBodies(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Unknown fields are refused by every `StrictSerializer`; generated clients shall know."""

    target_class = "core.api.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "additionalProperties": False}


def page_schema(name: str, item: type[serializers.Serializer[Any]]) -> Any:
    """The `data` of a list."""
    return inline_serializer(
        f"{name}Page",
        {
            "items": item(many=True),
            "page": serializers.IntegerField(),
            "limit": serializers.IntegerField(),
            "total": serializers.IntegerField(),
            "total_pages": serializers.IntegerField(),
        },
    )


def only_versioned(
    endpoints: list[tuple[str, str, str, Any]], **_: object
) -> list[tuple[str, str, str, Any]]:
    """The literal paths of the seeds answer by the same views; one description is enough (D1)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]
