"""Ways for a wire to go wrong that have nothing to do with any contract."""

import traceback
from collections.abc import Mapping
from typing import Any, Final

import requests

#: Situations that have nothing to do with any contract: what `responses` shall do.
TRANSPORT: Final[Mapping[str, dict[str, Any]]] = {
    "rate_limited": {"status": 429, "headers": {"Retry-After": "7"}},
    "server_error": {"status": 500, "json": {"message": "Internal server error"}},
    "maintenance": {"status": 503, "body": "<h1>Maintenance</h1>", "content_type": "text/html"},
    "html": {"body": "<h1>Bad gateway</h1>", "content_type": "text/html"},
    "empty": {"body": ""},
    "invalid_json": {"body": '{"status": "succ', "content_type": "application/json"},
    "a_list": {"json": []},
    "message_only": {"json": {"message": "Endpoint request timed out"}},
    "redirect": {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
    "silence": {"body": requests.ReadTimeout("no answer")},
    "cut": {"body": requests.ConnectionError("closed without an answer")},
    "no_connection": {"body": requests.ConnectTimeout("no route")},
}
#: The ways to go wrong after which nobody can know whether the call did its work.
UNSURE: Final = (
    "server_error",
    "maintenance",
    "html",
    "empty",
    "invalid_json",
    "a_list",
    "message_only",
    "redirect",
    "silence",
    "cut",
)


def whole_text(error: BaseException) -> str:
    """An exception as an error tracker shows it, with everything that led to it."""
    return repr(error) + "".join(traceback.format_exception(error))
