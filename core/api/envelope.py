"""The one shape of every answer: `{success, message, data}` or `{success, message, error}` (D2)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rest_framework.response import Response

from core import correlation
from core.errors import Detail


def ok(data: Any, message: str = "", *, status: int = 200, success: bool = True) -> Response:
    """An answer. `success=False` with status 200 is a business failure (partner retry)."""
    return Response({"success": success, "message": message, "data": data}, status=status)


def error_body(code: str, message: str, details: Sequence[Detail] = ()) -> dict[str, Any]:
    return {
        "success": False,
        "message": message,
        "error": {
            "code": code,
            "details": [asdict(detail) for detail in details],
            "correlation_id": correlation.current(),
        },
    }
