"""bKash: tokenized checkout v1.2.0-beta, payments without agreement."""

from .service import Bkash

__all__ = ["Bkash"]
