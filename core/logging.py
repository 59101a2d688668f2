"""JSON logs that never hold a secret: events with ids, not sentences with contents."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_SECRET_KEYS: Final = re.compile(
    r"(^|_)(code|codes|pin|password|token|secret|authorization|otp|epin|voucher_code|body|redemption_url)$",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+")
_REDACTED: Final = "[redacted]"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out what looks like a secret, whoever logged it."""
    for key, value in list(event.items()):
        if _SECRET_KEYS.search(key) and key not in ("raw_code", "status_code"):
            event[key] = _REDACTED
        elif isinstance(value, str):
            event[key] = _BEARER.sub(r"\1" + _REDACTED, value)
    return event


_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    redact,
]


def configure(level: str) -> dict[str, Any]:
    """Configure structlog and return Django's `LOGGING`: one JSON object a line on stderr."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # urllib3 logs addresses with their query: callbacks may carry secrets there.
            "urllib3": {"level": "WARNING"},
        },
    }


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def quiet(level: int = logging.CRITICAL) -> None:
    """For terminal stories, where a person reads what is printed."""
    logging.getLogger().setLevel(level)
