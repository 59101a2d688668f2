"""PayStation: hosted checkout, status by invoice or transaction, IPN."""

from .service import PayStation

__all__ = ["PayStation"]
