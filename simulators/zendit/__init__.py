"""Zendit: catalogue, prepaid wallet, voucher purchases that run in steps, webhook."""

from .service import Zendit

__all__ = ["Zendit"]
