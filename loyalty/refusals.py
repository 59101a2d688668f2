"""The codes of Ascenda's contract and the one body that carries them (D23).

Messages of NN1001 are the source's own, word for word; whoever builds against the contract
compares them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

UNEXPECTED: Final = "NN0001"
INVALID: Final = "NN1001"
NOT_FOUND: Final = "NN1002"
REFERENCE_EXISTS: Final = "NN1011"
MEMBER_INVALID: Final = "NN1301"
NOT_ACCEPTED: Final = "TC40000"
NAME_DIFFERS: Final = "TC40001"
NOT_ELIGIBLE: Final = "TC40002"
FRAUDULENT: Final = "TC40010"
CREDIT_REFUSED: Final = "TC40101"
WRONG_PARAMETER_TYPE: Final = "AF2001"
TENANT_NOT_FOUND: Final = "AF2006"

#: HTTP status of each code (D23; those of membership validation: processing failed).
STATUS: Final[Mapping[str, int]] = {
    UNEXPECTED: HTTPStatus.INTERNAL_SERVER_ERROR,
    INVALID: HTTPStatus.BAD_REQUEST,
    NOT_FOUND: HTTPStatus.NOT_FOUND,
    REFERENCE_EXISTS: HTTPStatus.CONFLICT,
    MEMBER_INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    NOT_ACCEPTED: HTTPStatus.UNPROCESSABLE_ENTITY,
    NAME_DIFFERS: HTTPStatus.UNPROCESSABLE_ENTITY,
    NOT_ELIGIBLE: HTTPStatus.UNPROCESSABLE_ENTITY,
    FRAUDULENT: HTTPStatus.UNPROCESSABLE_ENTITY,
    CREDIT_REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    WRONG_PARAMETER_TYPE: HTTPStatus.BAD_REQUEST,
    TENANT_NOT_FOUND: HTTPStatus.NOT_FOUND,
}

RECIPIENT_REQUIRED: Final = "recipient is required for gift card order"
ONE_ITEM_ONLY: Final = "order_items multiple order items are not supported yet."
INVALID_TYPE: Final = "invalid order item type"
TYPE_NOT_ENABLED: Final = "order_item_type redemption is not enabled."
USER_NOT_UUID: Final = "user_id is not a valid UUID"
MEMBERSHIP_MISSING: Final = "membership is missing"
ACCOUNT_REQUIRED: Final = "points_account_id is required when user has multiple points accounts"
ACCOUNT_NOT_FOUND: Final = "PointsAccount not found for id: {}"
REFERENCE_TAKEN: Final = "Reference ID already exists."
UNEXPECTED_ERROR: Final = "An unexpected error occurred while processing the request."

#: Our own words where the contract has no code: they are about the call, not about an order.
PLAIN: Final[Mapping[int, str]] = {
    400: INVALID,
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: NOT_FOUND,
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE",
    429: "RATE_LIMITED",
    500: UNEXPECTED,
    503: "UNAVAILABLE",
}
CODES: Final = sorted({*STATUS, *PLAIN.values()})


class ContractRefusal(Exception):  # noqa: N818 - the contract's word for a refusal is its code
    """A refusal by one of the contract's codes; nothing was changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> ContractRefusal:
    return ContractRefusal(INVALID, message)


def not_found(message: str) -> ContractRefusal:
    return ContractRefusal(NOT_FOUND, message)
