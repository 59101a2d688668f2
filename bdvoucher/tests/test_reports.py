"""What an error tracker is told of an error that had a code in its hands."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from bdvoucher import reports
from core import correlation

CODES = ["ABCD-1234-EFGH-5678", "GC4417ZZQP90", "1234567890123456", "eyJhbGciOiJIUzI1NiJ9_x"]
CORRELATION = "a-correlation-id-1"


def event(code):
    """As sentry-sdk 2 shapes one, with everything it could be configured to add."""
    return {
        "level": "error",
        "message": f"could not store {code}",
        "logentry": {"message": "stored %s", "params": [code]},
        "request": {"method": "POST", "url": f"https://x/?code={code}", "data": {"code": code},
                    "headers": {"Authorization": code}, "cookies": code, "query_string": code},
        "user": {"ip_address": "203.0.113.9"},
        "extra": {"sys.argv": [code]},
        "breadcrumbs": {"values": [{"message": code}]},
        "exception": {"values": [{
            "type": "IntegrityError",
            "value": f"Key (code)=({code}) already exists.",
            "stacktrace": {"frames": [{
                "function": "store", "lineno": 7, "vars": {"code": code},
                "context_line": f'code = "{code}"', "pre_context": [code], "post_context": [code],
            }]},
        }]},
    }  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_no_code_leaves_the_house(code):
    with correlation.correlated(CORRELATION):
        sent = reports.scrubbed(event(code))
    assert code not in json.dumps(sent)
    assert "203.0.113.9" not in json.dumps(sent)


def test_what_is_needed_to_find_the_error_stays():
    with correlation.correlated(CORRELATION):
        sent = reports.scrubbed(event(CODES[0]))
    (told,) = sent["exception"]["values"]
    assert told["type"] == "IntegrityError"
    assert told["value"] == "Key (code)=([redacted]) already exists."
    assert told["stacktrace"]["frames"] == [{"function": "store", "lineno": 7}]
    assert sent["tags"] == {"correlation_id": CORRELATION}
    assert sent["request"] == {"method": "POST"}


def test_without_a_dsn_nothing_is_imported(settings):
    settings.SENTRY_DSN = ""
    reports.start()


def test_a_dsn_without_the_library_is_said_in_a_sentence(settings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sentry_sdk", None)
    settings.SENTRY_DSN = "https://key@sentry.example.com/1"
    with pytest.raises(ImproperlyConfigured, match="SENTRY_DSN"):
        reports.start()
