"""A points partner: credits members of loyalty programmes under the caller's own reference."""

from .service import Points

__all__ = ["Points"]
