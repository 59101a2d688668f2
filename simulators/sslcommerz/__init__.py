"""SSLCommerz: hosted checkout, API v4, validation, queries, refunds and IPN."""

from .service import SslCommerz

__all__ = ["SslCommerz"]
