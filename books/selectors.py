"""Reconciliations as pages and exports read them."""

from django.db.models import Count, F, Q, QuerySet

from books.models import Gap, Reconciliation
from payments.models import Payment


def runs() -> QuerySet[Reconciliation]:
    """Newest first, each with its gaps counted in the same statement."""
    return (
        Reconciliation.objects.select_related("created_by")
        .annotate(
            gaps_found=Count("gaps"),
            gaps_open=Count("gaps", filter=Q(gaps__explained_at=None)),
        )
        .order_by("-pk")
    )


def gaps_of(run: Reconciliation) -> QuerySet[Gap]:
    """Open ones first, in the order of the file."""
    rows = run.gaps.select_related("explained_by", "payment", "refund", "purchase__item")
    return rows.order_by(F("explained_at").asc(nulls_first=True), "pk")


def gateways_paid_through() -> list[str]:
    """Methods with payments; the few there are, read without counting a million rows."""
    known = Payment.objects.order_by("method").values_list("method", flat=True)
    found: list[str] = []
    while (following := known.filter(method__gt=found[-1] if found else "").first()) is not None:
        found.append(following)
    return found
