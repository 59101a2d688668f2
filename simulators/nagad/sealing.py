"""Answers that only the merchant can read and only Nagad can have signed, and forgeries of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from simulators.frame.faults import Fault
from simulators.frame.http import JsonObject, Response, json_response

from . import keys, records

if TYPE_CHECKING:
    from .service import Nagad

#: What may be wrong with any call; nothing is done.
COMMON: Final[Mapping[str, str]] = {
    "refused": "{reason, message}: `reason` (ServerError), `message`, HTTP `status` (400)",
    "firewall": "HTTP 200 with the web firewall's HTML (the address is not on the list)",
}
#: What may be wrong with an encrypted and signed answer; the work is done.
FORGERIES: Final[Mapping[str, str]] = {
    "foreign_key": "signed with a key that is not Nagad's",
    "unsigned": "no signature",
    "sha1_signature": "signed over SHA-1",
    "changed_text": "the signature is of another text",
    "for_another": "encrypted for another merchant",
    "not_encrypted": "the members in the clear, no sensitiveData",
    "no_base64": "sensitiveData is no base64",
    "not_json": "well signed, but no JSON",
}


def refuse_by(fault: Fault | None) -> None:
    match fault.fault if fault else "":
        case "refused" if fault:
            records.refuse(
                fault.text("reason", "ServerError"),
                fault.text("message", ""),
                int(fault.number("status", 400)),
            )
        case "firewall":
            records.firewall()


def sealed(service: Nagad, merchant_id: str, value: JsonObject, fault: Fault | None) -> Response:
    name = fault.fault if fault else ""
    if name == "not_encrypted":
        return json_response(value)
    text = b"certainly no object" if name == "not_json" else json.dumps(value).encode()
    reader = service.ring.merchants[merchant_id]
    body = {
        "sensitiveData": keys.encrypt(text, reader),
        "signature": keys.sign(text, service.ring.own),
    }
    match name:
        case "foreign_key":
            body["signature"] = keys.sign(text, keys.new_key())
        case "unsigned":
            del body["signature"]
        case "sha1_signature":
            body["signature"] = keys.sign(text, service.ring.own, sha1=True)
        case "changed_text":
            body["signature"] = keys.sign(text + b" ", service.ring.own)
        case "for_another":
            body["sensitiveData"] = keys.encrypt(text, keys.new_key().public_key())
        case "no_base64":
            body["sensitiveData"] = "*** no base64 ***"
    return json_response(body)


def opened(service: Nagad, merchant_id: str, sealed: object, signature: object) -> JsonObject:
    """What a merchant has sent.

    Raises:
        Refusal: not for us, or not signed by that merchant.
    """
    try:
        _, value = keys.opened(
            sealed, signature, service.ring.own, service.ring.merchants[merchant_id]
        )
    except keys.Unreadable:
        records.refuse("DecryptionError")
    except keys.BadSignature:
        records.refuse("SignatureVerificationFailed")
    return value


def check_members(value: JsonObject, members: tuple[str, ...], *also: str) -> None:
    """All of them as texts, in the order of the contract; ``also`` may stand at the end."""
    if tuple(name for name in value if name not in also) != members:
        records.refuse("InvalidApiRequest", f"The members must be {', '.join(members)}.")
    if not all(isinstance(each, str) and each for each in value.values()):
        records.refuse("InvalidApiRequest", "Every member must be a text.")
