"""What others may ask of loyalty programmes' orders."""

from loyalty.services.clients import (
    WrongCredentials,
    count_call,
    end_former_secrets,
    issue_token,
    make_client,
    new_client_id,
    new_secret,
)
from loyalty.services.giving_up import give_up, give_up_now, settle_now, settle_transfer
from loyalty.services.members import validate_membership
from loyalty.services.ordering import Recipient, Wish, create_fulfillment_order

__all__ = [
    "Recipient",
    "Wish",
    "WrongCredentials",
    "count_call",
    "create_fulfillment_order",
    "end_former_secrets",
    "give_up",
    "give_up_now",
    "issue_token",
    "make_client",
    "new_client_id",
    "new_secret",
    "settle_now",
    "settle_transfer",
    "validate_membership",
]
