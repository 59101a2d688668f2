"""What follows from a view by itself is said of every operation, so nobody has to remember it.

A view that asks for a token can answer 401; one that asks for a right, 403; an address with an
id, 404; a body, 400, 413 and 415; an idempotent POST takes a key and can answer 400, 409, 422.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from core.api.idempotency import HEADER, MAX_LENGTH
from core.api.permissions import StaffMay
from core.api.schema import WHY, ErrorAnswerSerializer, refusal

KEY: Final = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
    "description": "A name of your own for this request, a UUID say. Sent again with the same "
    "key and body within 24 hours it gives the first answer again and does nothing twice.",
    "example": "5b9f7c1e-0d5a-4f0e-9d3a-2f8f6f1f7a10",
}
#: What a refusal looks like where the view shows none of its own.
USUAL: Final = {
    400: refusal(400, "Unknown field.", "nickname", "unknown"),
    401: refusal(401, "Authentication credentials were not provided."),
    403: refusal(403, "You do not have permission to perform this action."),
    404: refusal(404, "There is no such thing."),
    409: refusal(409, f"A request with this {HEADER} is still running."),
    413: refusal(413, "The request is too large."),
    415: refusal(415, 'Unsupported media type "text/plain" in request.'),
    422: refusal(422, f"This {HEADER} was used for another request."),
    429: refusal(429, "Too many tries. Please try again later."),
    502: refusal(502, "The message could not be sent. Please try again."),
    503: refusal(503, "This does not work just now. Please try again in a minute."),
}


class Operation(AutoSchema):
    """`DEFAULT_SCHEMA_CLASS` of the API."""

    refused: ClassVar[type[Any]] = ErrorAnswerSerializer
    usual: ClassVar[Mapping[int, OpenApiExample]] = USUAL
    """The body of a refusal, and what one looks like; a foreign contract has its own."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None or not self.path.startswith("/api/v1/"):
            return operation
        if self.is_idempotent:
            operation.setdefault("parameters", []).append(KEY)
        responses = operation["responses"]
        for status in self._refusals(operation):
            if str(status) not in responses:
                said = OpenApiResponse(self.refused, WHY[status])
                made = self._get_response_for_code(said, str(status))  # type: ignore[no-untyped-call]
                responses[str(status)] = made
        operation["responses"] = dict(sorted(responses.items()))
        for status, response in operation["responses"].items():
            self._complete(status, response)
        return operation

    def _get_serializer_name(self, *args: Any, **kwargs: Any) -> str:
        """`OrderSchema` is our word for the documented shape of an `Order`."""
        name: str = super()._get_serializer_name(*args, **kwargs)
        return name.removesuffix("Schema")

    @property
    def is_idempotent(self) -> bool:
        return bool(getattr(getattr(self.view, self.method.lower()), "idempotent", False))

    def _refusals(self, operation: Any) -> Iterator[int]:
        if any(operation.get("security", ())):
            yield 401
        if StaffMay in self.view.permission_classes:
            yield 403
        if "{" in self.path:
            yield 404
        if "requestBody" in operation:
            yield from (400, 413, 415)
        if self.is_idempotent:
            yield from (400, 409, 422)

    def _complete(self, status: str, response: Any) -> None:
        """Headers, and an example where a refusal has none."""
        names = {"X-Correlation-ID": "CorrelationId"}
        if status == "429":
            names["Retry-After"] = "RetryAfter"
        if self.is_idempotent:
            names["Idempotent-Replay"] = "IdempotentReplay"
        refs = {name: {"$ref": f"#/components/headers/{ref}"} for name, ref in names.items()}
        response["headers"] = {**response.get("headers", {}), **refs}
        if int(status) in self.usual and "description" in response:
            for media in response.get("content", {}).values():
                media.setdefault("examples", _shown(self.usual[int(status)]))


def _shown(usual: OpenApiExample) -> dict[str, Any]:
    return {"Usual": {"value": usual.value, "summary": usual.name}}
