"""A message as a person reads it."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default

from simulators.frame.http import JsonObject


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy makes EmailMessage")
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    if body is None:
        return ""
    text = body.get_content()
    return text if isinstance(text, str) else ""


def shown(number: int, at: str, recipients: list[str], content: bytes) -> JsonObject:
    """What GET /control/mail/messages and the pages tell of a message."""
    message = parsed(content)
    return {
        "id": number,
        "at": at,
        "from": str(message.get("From", "")),
        "to": ", ".join(recipients),
        "subject": str(message.get("Subject", "")),
        "message_id": str(message.get("Message-ID", "")),
        "headers": {name: str(value) for name, value in message.items()},
        "text": part(message, "plain"),
        "html": part(message, "html"),
    }
