"""Carrier billing: bdapps and Applink CaaS, a consent redirect, and the subscriber's phone."""

from .service import Dcb

__all__ = ["Dcb"]
