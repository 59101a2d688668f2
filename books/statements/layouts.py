"""How each provider writes its file.

No gateway and no partner publishes the format of what its portal exports. The names below are the
fields of their documented interfaces and what their portals are known to call them; a file with
other names is read by `generic`, with the columns mapped by hand.
"""

from collections.abc import Mapping
from typing import Final

from books.statements.base import FIELDS, Layout

DHAKA: Final = "Asia/Dhaka"
GENERIC: Final = "generic"
_DONE: Final = frozenset(
    {"success", "successful", "completed", "complete", "paid", "valid", "validated", "done",
     "refund", "refunded", "s1000"}
)  # fmt: skip

LAYOUTS: Final[Mapping[str, Layout]] = {
    each.slug: each
    for each in (
        Layout(
            "paystation",
            "PayStation",
            {
                "reference": ("invoice_number", "Invoice No", "Invoice"),
                "transaction": ("trx_id", "Transaction ID"),
                # `payment_amount` holds the payer's fee as well; what was asked for is ours
                "amount": ("request_amount", "Invoice Amount", "payment_amount", "Amount"),
                "at": ("order_date_time", "Payment Date", "Date"),
                "status": ("trx_status", "Status"),
                "kind": ("type", "Transaction Type"),
            },
            DHAKA,
            moved=_DONE,
        ),
        Layout(
            "bkash",
            "bKash",
            {
                "reference": ("merchantInvoiceNumber", "Merchant Invoice Number", "Reference"),
                "transaction": ("trxID", "Transaction ID", "Trx ID"),
                "amount": ("amount", "Transaction Amount"),
                "currency": ("currency",),
                "at": ("completedTime", "Transaction Time", "Date Time", "Date"),
                "status": ("transactionStatus", "Transaction Status", "Status"),
                "kind": ("transactionType", "Transaction Type", "Type"),
            },
            DHAKA,
            moved=_DONE,
        ),
        Layout(
            "nagad",
            "Nagad",
            {
                "reference": ("orderId", "Order ID", "Merchant Order ID"),
                "transaction": ("issuerPaymentRefNo", "Issuer Payment Ref No", "Transaction ID"),
                "amount": ("amount", "Transaction Amount"),
                "at": ("issuerPaymentDateTime", "Transaction Date Time", "Date Time"),
                "status": ("status", "Transaction Status"),
                "kind": ("type", "Transaction Type"),
            },
            DHAKA,
            moved=_DONE,
        ),
        Layout(
            "sslcommerz",
            "SSLCommerz",
            {
                "reference": ("tran_id", "Transaction ID", "Merchant Transaction ID"),
                "transaction": ("val_id", "Validation ID"),
                # `store_amount` is what is left after their fee
                "amount": ("amount", "Transaction Amount", "Amount (BDT)"),
                "at": ("tran_date", "Transaction Date"),
                "status": ("status", "Transaction Status"),
                "kind": ("type", "Transaction Type"),
            },
            DHAKA,
            moved=_DONE,
        ),
        Layout(
            "dcb",
            "Carrier billing (bdapps, Applink)",
            {
                "reference": ("externalTrxId", "External Transaction ID"),
                "transaction": ("internalTrxId", "Transaction ID"),
                "amount": ("paidAmount", "amount", "Charged Amount"),
                "currency": ("currency",),
                "at": ("timeStamp", "Transaction Date", "Date"),
                "status": ("statusCode", "Status"),
                "kind": ("type",),
            },
            DHAKA,
            moved=_DONE,
        ),
        Layout(
            "zendit",
            "Zendit",
            {
                "reference": ("transactionId", "Transaction ID"),
                "transaction": ("confirmationNumber", "Confirmation Number"),
                "amount": ("cost", "Cost"),
                "divisor": ("costCurrencyDivisor", "Cost Currency Divisor"),
                "currency": ("costCurrency", "Cost Currency", "Currency"),
                "at": ("createdAt", "Created At", "Created"),
                "status": ("status", "Status"),
                "kind": ("type", "Transaction Type"),
            },
            "UTC",
            currency="USD",
            moved=_DONE,
        ),
        Layout(
            "reloadly",
            "Reloadly",
            {
                "reference": ("customIdentifier", "Custom Identifier"),
                "transaction": ("transactionId", "Transaction ID"),
                "amount": ("amount", "Amount", "Cost"),
                "currency": ("currencyCode", "Currency Code", "Currency"),
                "at": ("transactionCreatedTime", "Transaction Date", "Date"),
                "status": ("status", "Status"),
                "kind": ("type", "Transaction Type"),
            },
            "UTC",
            currency="USD",
            moved=_DONE,
        ),
    )
}
#: Every line of a mapped file moved money, unless its status column says otherwise.
_PLAIN: Final = Layout(GENERIC, "Any other file, columns mapped by hand", {}, DHAKA)


def layout_of(slug: str, columns: Mapping[str, str], *, currency: str) -> Layout:
    """The layout by that name; `generic` is made of `columns` (meaning -> column).

    Raises:
        ValueError: no such layout, or columns that can't be used; a sentence for people.
    """
    if slug != GENERIC:
        if columns:
            raise ValueError("Columns are mapped for the generic layout only.")
        if slug not in LAYOUTS:
            raise ValueError(f"Choose one of: {', '.join((*LAYOUTS, GENERIC))}.")
        return LAYOUTS[slug]
    if unknown := sorted(columns.keys() - set(FIELDS)):
        raise ValueError(f"There is no meaning {unknown[0]}; there are: {', '.join(FIELDS)}.")
    if "amount" not in columns or not columns.keys() & {"reference", "transaction"}:
        raise ValueError("Map the amount, and our reference or their transaction.")
    return Layout(
        GENERIC,
        _PLAIN.title,
        {name: (column,) for name, column in columns.items()},
        DHAKA,
        currency=currency,
        moved=_DONE if "status" in columns else frozenset(),
    )


def layout_names() -> list[tuple[str, str]]:
    """For a form's list."""
    return [*((each.slug, each.title) for each in LAYOUTS.values()), (GENERIC, _PLAIN.title)]
