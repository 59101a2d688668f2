"""How answers look in the API's schema: the envelope around data, lists and refusals (D2, D3).

What follows from a view by itself (401, 404, 415, the `Idempotency-Key`, ...) is added to every
operation by `core.api.operations`; views say what only they know.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers

from core.api.errors import CODES
from core.api.lists import MAX_LIMIT

ERROR_CODES = sorted({*CODES.values(), "ERROR"})
CORRELATION_ID = "8f14e45f-ceea-467f-a0e6-b5e4bd1c2a3d"


class ErrorDetailSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(
        allow_blank=True,
        help_text="Dotted path of the field, `items.0.quantity`; empty if it is about the whole.",
    )
    code = serializers.CharField(help_text="For programs: `required`, `unknown`, `invalid`, ...")
    message = serializers.CharField(help_text="For people.")


class ErrorBodySerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(ERROR_CODES)
    details = ErrorDetailSerializer(many=True, help_text="Empty where no field is to blame.")
    correlation_id = serializers.CharField(help_text="Name it when you ask our support.")


class ErrorAnswerSerializer(serializers.Serializer[Any]):
    """Every refusal of the API looks like this."""

    success = serializers.BooleanField(help_text="Always false.")
    message = serializers.CharField(help_text="A sentence that may be shown.")
    error = ErrorBodySerializer()


WHY = {
    400: "Something in the request is wrong; `error.details` names each field.",
    401: "No valid token, or wrong credentials.",
    403: "The token is good, the right is missing.",
    404: "There is no such thing, or it is somebody else's.",
    409: "The request is fine, the state of things is not.",
    413: "The body is larger than 1 MB.",
    415: "Send JSON.",
    422: "The `Idempotency-Key` was used for another request.",
    429: "Too many tries; `Retry-After` says when another makes sense.",
    502: "Somebody behind us did not answer; try again.",
    503: "Not possible just now; try again in a minute.",
}


def answers(name: str, data: Any, *refusals: int, status: int = 200) -> dict[int, Any]:
    """The `responses` of `extend_schema`: `data` in its envelope, and the refusals by status.

    429, 5xx, and 409 without an `Idempotency-Key` are the caller's to name.
    """
    envelope = inline_serializer(
        f"{name}Answer",
        {
            "success": serializers.BooleanField(help_text="Whether it was done."),
            "message": serializers.CharField(allow_blank=True, help_text="For people."),
            "data": data,
        },
    )
    refused = {code: OpenApiResponse(ErrorAnswerSerializer, WHY[code]) for code in refusals}
    return {status: OpenApiResponse(envelope, "Done."), **refused}


def sent(value: Any, name: str = "Request") -> OpenApiExample:
    """A body as a client sends it."""
    return OpenApiExample(name, value=value, request_only=True)


def example(
    name: str, data: Any, message: str = "", *, status: int = 200, success: bool = True
) -> OpenApiExample:
    """An answer in its envelope."""
    body = {"success": success, "message": message, "data": data}
    return OpenApiExample(name, value=body, response_only=True, status_codes=[str(status)])


def refusal(status: int, message: str, field: str = "", code: str = "invalid") -> OpenApiExample:
    """A refusal by its own sentence, tied to `field` if that is to blame."""
    details = [{"field": field, "code": code, "message": message}] if field else []
    body = {
        "success": False,
        "message": message,
        "error": {"code": CODES[status], "details": details, "correlation_id": CORRELATION_ID},
    }
    return OpenApiExample(message, value=body, response_only=True, status_codes=[str(status)])


class StrictBodies(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Unknown fields are refused by every `StrictSerializer`; generated clients shall know."""

    target_class = "core.api.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        if not type(self.target).__doc__:  # drf-spectacular would take the base class's
            schema.pop("description", None)
        return {**schema, "additionalProperties": False}


@extend_schema_field({"type": "null"})
class NothingField(serializers.JSONField):
    """The `data` of an answer that has nothing to say."""


def page_schema(name: str, item: type[serializers.Serializer[Any]]) -> Any:
    """The `data` of a list."""
    return inline_serializer(
        f"{name}Page",
        {
            "items": item(many=True),
            "page": serializers.IntegerField(help_text="The page asked for, from 1."),
            "limit": serializers.IntegerField(help_text="Items a page."),
            "total": serializers.IntegerField(help_text="Items on all pages."),
            "total_pages": serializers.IntegerField(),
        },
    )


def page_of_one(row: Any, *, limit: int) -> dict[str, Any]:
    """An example of a list's `data`."""
    return {"items": [row], "page": 1, "limit": limit, "total": 1, "total_pages": 1}


def paging(default: int, *, most: int = 1_000_000) -> list[OpenApiParameter]:
    """`page` and `limit` of a list."""
    pages = {"type": "integer", "minimum": 1, "maximum": most, "default": 1}
    limits = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": default}
    return [
        OpenApiParameter("page", pages, description="From 1; one past the end is empty."),
        OpenApiParameter("limit", limits, description="Items a page."),
    ]


def in_path(name: str, description: str, kind: Any = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


def only_versioned(
    endpoints: list[tuple[str, str, str, Any]], **_: object
) -> list[tuple[str, str, str, Any]]:
    """The literal paths of the seeds answer by the same views; one description is enough (D1)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]
