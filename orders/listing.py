"""The order list: what a row shows, and what a search finds. The page around it is the door's."""

import re
from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.inputs import msisdn_of
from core.templatetags.shop import age, badge, summary_of, taka
from orders.models import Order

#: An order's number, also as a part of our references at gateways and partners.
NUMBER: Final = re.compile(
    r"(?:#|BDV-)?([1-9][0-9]{7})(?:-[0-9]+|I[0-9]+U[0-9]+T[0-9]+)?", re.IGNORECASE
)


def found_by(queryset: QuerySet[Order], term: str) -> QuerySet[Order]:
    """By number or one of our references, by e-mail, by mobile number; each exact."""
    if found := NUMBER.fullmatch(term):
        return queryset.filter(order_number=found[1])
    if "@" in term:
        return queryset.filter(recipient_email__iexact=term)
    try:
        return queryset.filter(customer__msisdn=msisdn_of(term))
    except ValueError:
        return queryset.none()


class OrderColumns:
    """The columns of the list; `open_alerts` was put on each row by the page."""

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Order],
        search_term: str,
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        return (found_by(queryset, term) if term else queryset), False

    @admin.display(description="Order", ordering="-id")
    def number(self, row: Order) -> str:
        return f"#{row.order_number}"

    @admin.display(description="Items")
    def items_sold(self, row: Order) -> str:
        return summary_of(row.items.all())

    @admin.display(description="Total")
    def total(self, row: Order) -> str:
        return taka(row.total_amount)

    @admin.display(description="Recipient")
    def recipient(self, row: Order) -> SafeString:
        msisdn = row.customer.msisdn if row.customer else ""
        return format_html('{}<br><span class="soft">{}</span>', row.recipient_email, msisdn or "")

    @admin.display(description="Status and cause", ordering="status")
    def cause(self, row: Order) -> SafeString:
        alerts: Sequence[Any] = getattr(row, "open_alerts", ())
        told = " · ".join(alert.message for alert in alerts)
        return format_html('{}<div class="error-text">{}</div>', badge(row), told)

    @admin.display(description="Placed")
    def waiting(self, row: Order) -> SafeString:
        placed = timezone.localtime(row.created_at)
        words = f"{age(row.created_at)} ago".replace("just now ago", "just now")
        return format_html('{}<br><span class="soft">{}</span>', f"{placed:%d %b %H:%M}", words)
