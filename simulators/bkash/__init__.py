"""bKash: tokenized checkout v1.2.0-beta, payment without agreement."""

from .service import Bkash

__all__ = ["Bkash"]
