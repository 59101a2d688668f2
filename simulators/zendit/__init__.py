"""Zendit: digital vouchers, bought under the client's own id, delivered a little later."""

from .service import Zendit

__all__ = ["Zendit"]
