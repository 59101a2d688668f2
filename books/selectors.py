"""Reconciliations as pages and exports read them."""

from django.db.models import Count, F, Q, QuerySet

from books.models import Gap, Reconciliation


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
