"""Somebody else's system that is told what happens in the shop: checks the signature, keeps ids."""

from .service import Receiver

__all__ = ["Receiver"]
