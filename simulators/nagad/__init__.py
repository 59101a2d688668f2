"""Nagad: remote payment gateway 1.0, API version v-0.2.0."""

from .service import Nagad

__all__ = ["Nagad"]
