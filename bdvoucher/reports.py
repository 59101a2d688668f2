"""Errors nobody expected, told to Sentry where `SENTRY_DSN` names one; nothing secret goes along.

What is sent: the exception's type, where it happened, the correlation id, the route. Never sent:
values of variables, bodies, headers, cookies, queries, addresses, and log lines before the error.
A message is kept without what looks like a code or a token, since exceptions quote it.
"""

import re
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core import correlation

#: Runs of letters and digits in groups: voucher codes, tokens, PINs, card and phone numbers.
_CODE: Final = re.compile(
    r"(?<![\w.])(?=[\w-]*\d)(?:[A-Za-z0-9]{3,}(?:-[A-Za-z0-9]{3,})+|[A-Za-z0-9_-]{9,})(?![\w.])"
)
_REDACTED: Final = "[redacted]"
_TRIMMED: Final = ("vars", "pre_context", "post_context", "context_line")


def start() -> None:
    """Called once the apps are loaded; without a DSN nothing is imported or sent."""
    if not settings.SENTRY_DSN:
        return
    try:
        import sentry_sdk
    except ImportError:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, but sentry-sdk is not installed: see requirements/production.txt."
        ) from None
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        before_send=scrubbed,
    )


def scrubbed(event: Any, _hint: Any = None) -> Any:
    """The event as it may leave the house."""
    request = event.get("request", {})
    kept = {name: request[name] for name in ("method",) if name in request}
    event["request"] = kept
    for name in ("breadcrumbs", "user", "extra", "server_name", "modules"):
        event.pop(name, None)
    event["tags"] = {"correlation_id": correlation.current()}
    for name in ("message", "logentry"):
        if name in event:
            event[name] = _plain(event[name])
    for each in (event.get("exception") or {}).get("values", []):
        each["value"] = _plain(each.get("value") or "")
        for frame in (each.get("stacktrace") or {}).get("frames", []):
            for name in _TRIMMED:
                frame.pop(name, None)
    return event


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _CODE.sub(_REDACTED, value)
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value
