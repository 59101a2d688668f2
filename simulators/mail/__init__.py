"""The mail sink: an SMTP server that keeps what it accepts, and a page to read it."""

from .service import MailSink

__all__ = ["MailSink"]
