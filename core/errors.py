"""What we refuse to do, said so that a caller can act on it.

Every refusal carries its HTTP status and one of the words of decision D2, so that one
exception handler (`core.api.errors`) shapes all of them, and services stay free of HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One reason, tied to the field that caused it (a dotted path, `items.0.quantity`)."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """An expected refusal. Nothing was changed when it is raised."""

    http_status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"

    def __init__(self, message: str, *, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)


class BadRequest(DomainError):  # noqa: N818 - the words of D2, as HTTP names them
    """The request can never be right as it stands."""

    @classmethod
    def at(cls, field: str, message: str, *, code: str = "invalid") -> "BadRequest":
        return cls(message, details=[Detail(field, code, message)])


class NotFound(DomainError):  # noqa: N818
    http_status = 404
    code = "NOT_FOUND"


class Forbidden(DomainError):  # noqa: N818
    http_status = 403
    code = "FORBIDDEN"


class Conflict(DomainError):  # noqa: N818
    """The request is fine, the state of things is not."""

    http_status = 409
    code = "CONFLICT"


class Unprocessable(DomainError):  # noqa: N818
    http_status = 422
    code = "UNPROCESSABLE"


class RateLimited(DomainError):  # noqa: N818
    http_status = 429
    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds until another try makes sense; becomes the header `Retry-After`."""


class BadGateway(DomainError):  # noqa: N818
    """Somebody behind us did not answer, and the caller must know (D22, A6)."""

    http_status = 502
    code = "BAD_GATEWAY"
