"""The front page of the API's documentation, and what its sections are about."""

from typing import Final

FRONT_PAGE: Final = """\
Sell digital vouchers in Bangladesh: show the catalogue, place an order, send the customer to pay,
show the codes. Everything a storefront or a mobile app needs is on this page. The five-minute
guides with `curl` are in the repository: `docs/api/README.md` for a storefront,
`docs/api/operators.md` for an operations desk.

# Signing in

There are three kinds of token, and one opens nothing of the others.

| Scheme | Where the token comes from | Who |
|---|---|---|
| `bearer-client` | `POST /api/v1/auth/sign-in`, or `POST /api/v1/auth/sign-up` | customers |
| `bearer-admin` | `POST /api/v1/admin/auth/login` | staff |
| `bearer-programme` | `POST /oauth/token` | loyalty programmes' systems |

Send it with every request: `Authorization: Bearer <accessToken>`. Access tokens live for minutes;
`refresh-token` gives a new pair without credentials, and uses the old refresh token up. A new
account begins with a one-time password sent to its mobile number: `send-otp`, `verify-otp`,
`sign-up`. Numbers may be written as people type them (`01712345678`, `+8801712345678`).

# Answers

Every answer is JSON in one envelope:

```json
{ "success": true, "message": "Order created", "data": { } }
```

`message` is for people and may be empty; `data` is what the operation describes. Where an
operation was carried out and still did not succeed (a partner had no stock), the answer is HTTP 200
with `success: false` and `data` filled.

The header `X-Correlation-ID` names the request in our logs; send one of your own (8 to 64 letters,
digits, `-`, `_`) and it is taken over.

# Errors

```json
{
  "success": false,
  "message": "At least one code must be provided.",
  "error": {
    "code": "BAD_REQUEST",
    "details": [
      { "field": "codes", "code": "required", "message": "At least one code must be provided." }
    ],
    "correlation_id": "8f14e45f-ceea-467f-a0e6-b5e4bd1c2a3d"
  }
}
```

`details` names each field that is wrong by its path (`items.0.fulfillment_input.player_id`).

| HTTP | `error.code` | Means | What to do |
|---|---|---|---|
| 400 | `BAD_REQUEST` | something in the request is wrong | show `details` at their fields |
| 401 | `UNAUTHORIZED` | no valid token, or wrong credentials | renew the token, else sign in |
| 403 | `FORBIDDEN` | the right is missing | nothing; it will not change by itself |
| 404 | `NOT_FOUND` | there is no such thing, or it is somebody else's | |
| 405 | `METHOD_NOT_ALLOWED` | the address knows other methods | |
| 409 | `CONFLICT` | the state of things does not allow it | read again, then decide |
| 413 | `PAYLOAD_TOO_LARGE` | the body is larger than 1 MB | |
| 415 | `UNSUPPORTED_MEDIA_TYPE` | send `Content-Type: application/json` | |
| 422 | `UNPROCESSABLE` | the `Idempotency-Key` belongs to another request | take a new key |
| 429 | `RATE_LIMITED` | too many tries | wait for `Retry-After` seconds |
| 500 | `INTERNAL_ERROR` | our fault | try again with the same `Idempotency-Key` |
| 502, 503 | `BAD_GATEWAY`, `UNAVAILABLE` | somebody behind us is away | try again shortly |

Fields of a body that we do not know are refused by name, never ignored.

# Lists

Lists take `page` (from 1) and `limit` (at most 100) and answer
`{ "items": [], "page": 1, "limit": 10, "total": 0, "total_pages": 0 }`. A page past the end is
empty.

# Doing things once

POSTs that create or spend take an `Idempotency-Key` header: any text of 1 to 200 printable
characters, a UUID say. The same key with the same body within 24 hours gives the first answer
again, with `Idempotent-Replay: true`, and does nothing twice; with another body it is 422, and
while the first request is still running 409. Answers of 500 and above are not kept. Use one for
every order: a customer on a bad line presses twice.

# Money and time

Amounts are JSON numbers in taka; `currency` is always `BDT`. Times are UTC in ISO 8601 with
milliseconds: `2026-04-27T14:22:00.000Z`. What may be unknown is `null`, never missing.

# Paying

A redirect to the gateway's page and a poll; the gateway's own word to your browser is worth
nothing, ours is read from the gateway.

**Pattern A, inline.** `POST /api/v1/orders` opens a session at once: redirect the customer to
`data.payment.paymentGatewayUrl`. If the gateway is away, the order stands, `payment` is `null`, and
you go on with pattern B.

**Pattern B, two steps.** `POST /api/v1/orders` with `"init_payment": false`, and later
`POST /api/v1/payments/initiate/{order_key}`. The same call is another try after a failed payment.

Then poll `GET /api/v1/payments/status/{reference}` every few seconds until `final` is true, or
`GET /api/v1/orders/{key}` until it is `SUCCEEDED` and `voucher_codes` is filled.

| Order status | Means | Show |
|---|---|---|
| `INITIATED` | placed, not paid | a way to pay, a way to cancel |
| `CARRIER_AUTHORIZED` | the mobile operator confirms | wait |
| `PENDING` | paid, codes are on their way | wait |
| `SUCCEEDED` | every code delivered and mailed | the codes |
| `NEEDS_ATTENTION` | paid; our staff completes the delivery | `status_message`, never a failure |
| `FAILED` | payment failed | a way to pay again |
| `CANCELLED` | given up before payment | |

`status_label` and `status_message` are made to be shown, in English or Bangla.

# Limits

Sign-in, one-time passwords, password resets and discount previews are counted per account and per
address; above the limit the answer is 429 with `Retry-After`. An order has at most 50 lines of 1 to
100 units each.

# Two addresses for operators

The recovery and discount routes answer at `/admin/...`, as well as at `/api/v1/admin/...`; the
mails of an order at `/ordersv2/...`, as well as at `/api/v1/admin/ordersv2/...`.
"""

TAGS: Final = [
    {
        "name": "Accounts",
        "description": "Customers: from a mobile number to an account, tokens, the own profile.",
    },
    {
        "name": "Catalogue",
        "description": "What can be bought, at what price, and what checkout must ask for. "
        "Public, and cached by `ETag`.",
    },
    {
        "name": "Orders",
        "description": "Placing, reading and cancelling the customer's own orders. Codes appear "
        "here as soon as they are ours to give.",
    },
    {
        "name": "Payments",
        "description": "Sessions at the gateways, polls, and the channels on offer. The "
        "gateways' callbacks are between them and us.",
    },
    {
        "name": "Vouchers",
        "description": "The customer's own vouchers, one per unit bought, opened for their owner "
        "only.",
    },
    {
        "name": "Discounts",
        "description": "A preview for customers; for staff the codes themselves and the orders "
        "that used them.",
    },
    {
        "name": "Code imports",
        "description": "Codes into the pool: read, looked at, let in; each once, errors by row.",
    },
    {
        "name": "Recovery runs",
        "description": "Many orders repaired by one wish: a dry run first, then row by row.",
    },
    {
        "name": "Alerts",
        "description": "What needs a person: listed, marked as seen, closed with a note.",
    },
    {
        "name": "Webhooks",
        "description": "What was told to systems of others, try by try; dead letters replayed.",
    },
    {
        "name": "Partners",
        "description": "How those who sell us codes answer: circuit breaker, balance, connection.",
    },
    {
        "name": "Refunds",
        "description": "For staff: a payment with everything its gateway said, and paying it back, "
        "in full or unit by unit. Also at `/admin/payments/...`.",
    },
    {
        "name": "Books",
        "description": "For finance: money by period and method, codes in and out, and statements "
        "of gateways and partners laid beside them.",
    },
    {"name": "Staff", "description": "Signing in at the operators' door."},
    {
        "name": "Recovery",
        "description": "Paid orders that were not delivered: look, enter codes, ask the partner "
        "again, send the mail again, read the audit trail. Also at `/admin/orders/...`.",
    },
    {
        "name": "E-mails of an order",
        "description": "The state of an order's mails, and any business mail of it sent again. "
        "Also at `/ordersv2/...`.",
    },
    {
        "name": "Loyalty programmes",
        "description": "Fulfilment orders of loyalty programmes whose members paid in points: "
        "gift cards and points transfers, in the contract of Ascenda with its own error body. "
        "Also at `/oauth/token`, `/fulfillment-orders...`, `/gift-cards`, `/loyalty_programs...`.",
    },
]
"""Sections in the order of a reader's way; a new tag is explained here."""

#: Names of the closed sets of words, so that generated clients have them.
ENUMS: Final = {
    "ErrorCode": "core.api.schema.ERROR_CODES",
    "Language": "accounts.serializers.LANGUAGES",
    "BatchStatus": "vouchers.states.BatchStatus",
    "BatchRowOutcome": "vouchers.states.Outcome",
    "StockStatus": "catalog.states.StockStatus",
    "StockSource": "catalog.states.StockSource",
    "FulfillmentEngine": "catalog.states.FulfillmentType",
    "IdentifierKey": "catalog.states.IDENTIFIERS",
    "OrderStatus": "orders.states.OrderStatus",
    "ItemStatus": "orders.states.ItemStatus",
    "DiscountType": "orders.models.DiscountType",
    "PaymentStatus": "orders.serializers.PAYMENT_STATUSES",
    "PaymentMethod": "orders.serializers.METHODS",
    "PaidThrough": "orders.serializers.PAID_THROUGH",
    "VoucherStatus": "orders.serializers.VOUCHER_STATUSES",
    "OwnVoucherStatus": "vouchers.serializers.OWN_STATUSES",
    "RefundStatus": "payments.states.RefundStatus",
    "RefundOutcome": "payments.serializers.OUTCOMES",
    "AttemptType": "fulfillment.states.AttemptType",
    "AttemptStatus": "fulfillment.states.AttemptStatus",
    "PurchaseStatus": "fulfillment.states.PurchaseStatus",
    "MailWorkflow": "notifications.states.Workflow",
    "MailStanding": "notifications.states.STANDINGS",
    "OrderSource": "orders.states.OrderSource",
    "OfferKind": "orders.states.OfferKind",
    "QueueTab": "fulfillment.queue.TAB_NAMES",
    "RunAction": "fulfillment.states.RunAction",
    "RunStatus": "fulfillment.states.RunStatus",
    "RunRowStatus": "fulfillment.states.RowStatus",
    "GrantType": "loyalty.serializers.GRANT_TYPES",
    "CloseOutcome": "fulfillment.serializers.CLOSE_OUTCOMES",
    "FulfillmentItemType": "loyalty.states.ItemType",
    "FulfillmentItemStatus": "loyalty.states.ItemState",
    "FulfillmentRequestStatus": "loyalty.states.RequestStatus",
    "ProgrammeErrorCode": "loyalty.refusals.CODES",
    "BooksStep": "books.sums.STEPS",
    "BooksSide": "books.states.Side",
    "GapKind": "books.states.GapKind",
    "StatementLayout": "books.serializers.LAYOUTS",
    "WebhookEventType": "webhooks.states.EventType",
    "WebhookDeliveryStatus": "webhooks.states.DeliveryStatus",
    "BreakerState": "fulfillment.partner_views.BREAKER_STATES",
}

#: Headers of answers; `core.api.operations` refers to them.
HEADERS: Final = {
    "CorrelationId": {
        "description": "Names this request in our logs; name it when you ask our support.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds until another try makes sense.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "IdempotentReplay": {
        "description": "`true` if this is the answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
