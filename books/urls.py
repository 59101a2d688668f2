"""Mounted at `/api/v1/admin/`."""

from django.urls import path

from books import views

ONE = "reconciliations/<digits:run_id>"
urlpatterns = [
    path("books", views.BooksView.as_view(), name="books"),
    path("books/stock", views.StockBooksView.as_view(), name="books-stock"),
    path("reconciliations", views.ReconciliationsView.as_view(), name="reconciliations"),
    path(ONE, views.ReconciliationView.as_view(), name="reconciliation"),
    path(f"{ONE}/gaps", views.GapsView.as_view(), name="reconciliation-gaps"),
    path(f"{ONE}/gaps/<digits:gap_id>/explain", views.ExplainView.as_view(), name="gap-explain"),
]
