"""Reloadly: gift cards bought with a prepaid wallet under an identifier of the client's own."""

from .service import Reloadly

__all__ = ["Reloadly"]
