"""How operators repair a paid order (seed Fulfillment Recovery). The API and the admin's
buttons call these same functions."""

from fulfillment.recovery.codes import GivenCode, ItemCodes, enter_codes, enter_codes_for_order
from fulfillment.recovery.mail import resend_codes
from fulfillment.recovery.purchases import close_purchase
from fulfillment.recovery.replacing import replace_code
from fulfillment.recovery.results import OrderResult, RecoveryResult, RowResult
from fulfillment.recovery.retry import retry_with_partner

__all__ = [
    "GivenCode",
    "ItemCodes",
    "OrderResult",
    "RecoveryResult",
    "RowResult",
    "close_purchase",
    "enter_codes",
    "enter_codes_for_order",
    "replace_code",
    "resend_codes",
    "retry_with_partner",
]
