"""Initialize, complete and verify: a payment as the merchant's server meets it."""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from simulators.frame.clock import DHAKA, dhaka_text
from simulators.frame.faults import Fault
from simulators.frame.http import Call, JsonObject, Request, Response, is_web_address, json_response

from . import records
from .records import Payment, payment_facts, refuse, stamp
from .sealing import COMMON, FORGERIES, check_members, opened, refuse_by, sealed

if TYPE_CHECKING:
    from .service import Nagad

Endpoint: TypeAlias = "Callable[[Nagad, Call], Response]"

VERSION: Final = "v-0.2.0"
CLIENT_TYPES: Final = frozenset(
    {"PC_WEB", "MOBILE_WEB", "MOBILE_APP", "WALLET_WEB_VIEW", "BILL_KEY"}
)
INITIALIZE_FAULTS: Final[Mapping[str, str]] = {
    **COMMON,
    **FORGERIES,
    "duplicate": "DuplicateOrderId, nothing created",
    "invalid_merchant": "InvalidMerchant",
    "inactive_merchant": "InactiveMerchant",
    "no_reference": "an answer without paymentReferenceId",
}
COMPLETE_FAULTS: Final[Mapping[str, str]] = {
    **COMMON,
    "no_url": "Success without callBackUrl",
    "wrong_host": "callBackUrl on another host (`url`)",
    "status_text": "another `status` (Failed), no page",
}
VERIFY_FAULTS: Final[Mapping[str, str]] = {
    **COMMON,
    "wrong_amount": "another amount (`amount`)",
    "no_decimals": "whole taka without decimals, as in `16`",
    "wrong_merchant": "another merchantId (`merchant_id`)",
    "wrong_order": "another orderId (`order_id`)",
    "wrong_reference": "another paymentRefId (`reference`)",
    "no_issuer_ref": "issuerPaymentRefNo is missing",
    "used_issuer_ref": "issuerPaymentRefNo of another payment (`issuer_ref`, else the first paid)",
    "status_text": "status is `text`, whatever it is",
    "status_code": "statusCode is `code` (001)",
    "pending": "status is TransactionInProgress although it is decided",
    "no_info": "additionalMerchantInfo is null",
}


def check_headers(request: Request) -> None:
    headers = request.headers
    if headers.get("x-km-api-version") != VERSION:
        refuse("InvalidApiRequest", "X-KM-Api-Version must be v-0.2.0.")
    if headers.get("x-km-client-type") not in CLIENT_TYPES:
        refuse("InvalidApiRequest", "X-KM-Client-Type is not known.")
    try:
        ipaddress.IPv4Address(headers.get("x-km-ip-v4", ""))
    except ValueError:
        refuse("InvalidApiRequest", "X-KM-IP-V4 must be an IPv4 address.")


def body_of(request: Request) -> JsonObject:
    body = request.json()
    if request.media_type != "application/json" or body is None:
        refuse("InvalidApiRequest", "The body must be JSON.")
    return body


def check_merchant(service: Nagad, merchant_id: str) -> None:
    if merchant_id not in service.ring.merchants:
        refuse("InvalidMerchant")
    if merchant_id in service.inactive:
        refuse("InactiveMerchant")


def initialize(service: Nagad, call: Call) -> Response:
    merchant_id, order_id = call.params["merchant_id"], call.params["order_id"]
    check_headers(call.request)
    check_merchant(service, merchant_id)
    fault = service.faults.take("initialize", service.facts(call.request, call.params))
    refuse_by(fault)
    refuse_initialize(fault)
    if not re.fullmatch(r"[A-Za-z0-9]{1,20}", order_id):
        refuse("InvalidOrderId")
    body = body_of(call.request)
    value = opened(service, merchant_id, body.get("sensitiveData"), body.get("signature"))
    check_members(value, ("merchantId", "datetime", "orderId", "challenge"))
    if (value["merchantId"], value["orderId"]) != (merchant_id, order_id):
        refuse("InvalidApiRequest", "The sensitive data is about another order.")
    if body.get("dateTime") != value["datetime"]:
        refuse("InvalidApiRequest", "dateTime must be the datetime of the sensitive data.")
    check_moment(service, value["datetime"])
    if order_id in {payment.order_id for payment in service.payments.values()}:
        refuse("DuplicateOrderId")
    payment = new_payment(service, merchant_id, order_id)
    answer = {
        "paymentReferenceId": payment.reference,
        "challenge": payment.challenge,
        "acceptDateTime": stamp(payment.created_at),
    }
    if fault and fault.fault == "no_reference":
        del answer["paymentReferenceId"]
    return sealed(service, merchant_id, answer, fault)


def refuse_initialize(fault: Fault | None) -> None:
    reasons = {
        "duplicate": "DuplicateOrderId",
        "invalid_merchant": "InvalidMerchant",
        "inactive_merchant": "InactiveMerchant",
    }
    if fault and fault.fault in reasons:
        refuse(reasons[fault.fault])


def check_moment(service: Nagad, text: str) -> None:
    """A stamp of another zone is hours off."""
    try:
        said = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=DHAKA)
    except ValueError:
        refuse("InvalidApiRequest", "datetime must be YYYYMMDDHHmmss.")
    if abs(said.timestamp() - service.clock.now()) > service.settings["drift_seconds"]:
        refuse("InvalidApiRequest", "datetime is not the time in Dhaka.")


def new_payment(service: Nagad, merchant_id: str, order_id: str) -> Payment:
    now = service.clock.now()
    payment = Payment(
        reference=records.new_reference(now, merchant_id, order_id),
        merchant_id=merchant_id,
        order_id=order_id,
        challenge=secrets.token_hex(20),
        created_at=now,
    )
    service.payments[payment.reference] = payment
    return payment


def complete(service: Nagad, call: Call) -> Response:
    check_headers(call.request)
    payment = service.payments.get(call.params["reference"])
    if payment is None:
        refuse("InvalidReferenceId")
    check_merchant(service, payment.merchant_id)
    fault = service.faults.take("complete", payment_facts(payment))
    refuse_by(fault)
    body = body_of(call.request)
    value = opened(service, payment.merchant_id, body.get("sensitiveData"), body.get("signature"))
    check_members(value, ("merchantId", "orderId", "currencyCode", "amount", "challenge"))
    check_complete(service, payment, value, body)
    payment.amount = value["amount"]
    payment.callback_url = body["merchantCallbackURL"]
    payment.info = body.get("additionalMerchantInfo")
    payment.status = records.READY
    answer = {
        "callBackUrl": f"{call.base_url}{service.prefix}/check-out/{payment.reference}",
        "status": "Success",
    }
    match fault.fault if fault else "":
        case "no_url":
            del answer["callBackUrl"]
        case "wrong_host" if fault:
            answer["callBackUrl"] = fault.text("url", "https://nagad.example/check-out/1")
        case "status_text" if fault:
            answer = {"status": fault.text("status", "Failed")}
    return json_response(answer)


def check_complete(service: Nagad, payment: Payment, value: JsonObject, body: JsonObject) -> None:
    if payment.status != records.INITIATED:
        refuse("InvalidReferenceId", "The payment has a page already.")
    if (value["merchantId"], value["orderId"]) != (payment.merchant_id, payment.order_id):
        refuse("InvalidPurchaseInformation", "The sensitive data is about another order.")
    if value["challenge"] != payment.challenge:
        refuse("InvalidPurchaseInformation", "The challenge is not the one that was sent.")
    if value["currencyCode"] != "050":
        refuse("InvalidCurrency")
    if as_amount(value["amount"]) is None:
        refuse("InvalidPurchaseInformation", "The amount must be above 0.")
    url, info = body.get("merchantCallbackURL"), body.get("additionalMerchantInfo")
    if not is_web_address(url) or not allowed(service, str(url)):
        refuse("InvalidPurchaseInformation", "merchantCallbackURL is not on the list.")
    flat = info is None or isinstance(info, dict)
    if not flat or any(isinstance(each, (dict, list)) for each in (info or {}).values()):
        refuse("InvalidApiRequest", "additionalMerchantInfo must be a flat object.")


def as_amount(text: object) -> Decimal | None:
    """A text such as `100.00`, above 0."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", text):
        return None
    return Decimal(text) or None


def allowed(service: Nagad, url: str) -> bool:
    wanted: list[str] = service.settings["allowed_callbacks"]
    return not wanted or any(url.startswith(each) for each in wanted)


def verify(service: Nagad, call: Call) -> Response:
    check_headers(call.request)
    payment = service.payments.get(call.params["reference"])
    if payment is None:
        refuse("InvalidReferenceId", status=404)
    fault = service.faults.take("verify", payment_facts(payment))
    refuse_by(fault)
    body = status_of(payment)
    if fault is not None:
        spoil(service, body, payment, fault)
    return json_response(body)


def status_of(payment: Payment) -> JsonObject:
    paid = payment.paid
    moment = f"{dhaka_text(payment.decided_at)}.0" if payment.decided_at else None
    last = payment.refunds[-1] if payment.refunds else {}
    return {
        "merchantId": payment.merchant_id,
        "orderId": payment.order_id,
        "paymentRefId": payment.reference,
        "amount": payment.paid_amount or payment.amount or None,
        "clientMobileNo": masked(payment.wallet),
        "merchantMobileNo": "01700000000",
        "orderDateTime": f"{dhaka_text(payment.created_at)}.0",
        "issuerPaymentDateTime": moment if paid else None,
        "issuerPaymentRefNo": payment.issuer_ref or None,
        "additionalMerchantInfo": json.dumps(payment.info) if payment.info else None,
        "status": payment.status,
        "statusCode": "000" if paid else payment.code or None,
        "cancelIssuerDateTime": last.get("at"),
        "cancelIssuerRefNo": last.get("cancelTrxId"),
        "serviceType": "Remote Payment",
    }


def masked(number: str) -> str | None:
    return f"{number[:3]}****{number[-4:]}" if number else None


def spoil(service: Nagad, body: JsonObject, payment: Payment, fault: Fault) -> None:
    """Make the answer say something else than the ledger."""
    match fault.fault:
        case "wrong_amount":
            body["amount"] = fault.text("amount", other_amount(payment.amount))
        case "no_decimals":
            body["amount"] = str(int(Decimal(body["amount"])))
        case "wrong_merchant":
            body["merchantId"] = fault.text("merchant_id", "683002007100000")
        case "wrong_order":
            body["orderId"] = fault.text("order_id", "NOTYOURS1")
        case "wrong_reference":
            body["paymentRefId"] = fault.text("reference", "Tk9ULVlPVVJT")
        case "no_issuer_ref":
            del body["issuerPaymentRefNo"]
        case "used_issuer_ref":
            used = next((p.issuer_ref for p in service.payments.values() if p.issuer_ref), "")
            body["issuerPaymentRefNo"] = fault.text("issuer_ref", used)
        case "status_text":
            body["status"] = fault.text("text", "Unknown")
        case "status_code":
            body["statusCode"] = fault.text("code", "001")
        case "pending":
            body["status"], body["statusCode"] = records.TRANSACTION, None
        case "no_info":
            body["additionalMerchantInfo"] = None


def other_amount(amount: str) -> str:
    return str(max(Decimal(amount) - 1, Decimal("0.50")))
