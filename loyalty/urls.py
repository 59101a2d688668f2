"""Mounted at the contract's literal paths and at `/api/v1/` (D1)."""

from django.urls import URLPattern, path

from loyalty import views


def programme_routes(name: str) -> list[URLPattern]:
    """All paths of the programmes' API; `name` tells the two places apart."""
    orders, programs = "fulfillment-orders", "loyalty_programs"
    return [
        path("oauth/token", views.TokenView.as_view(), name=f"{name}-token"),
        path(orders, views.OrdersView.as_view(), name=f"{name}-orders"),
        path(f"{orders}/gift-cards", views.GiftCardOrdersView.as_view(), name=f"{name}-cards"),
        path(
            f"{orders}/points-transfers",
            views.PointsTransferOrdersView.as_view(),
            name=f"{name}-transfers",
        ),
        path(f"{orders}/<str:key>", views.OrderView.as_view(), name=f"{name}-order"),
        path("gift-cards", views.GiftCardsView.as_view(), name=f"{name}-gift-cards"),
        path(programs, views.ProgramsView.as_view(), name=f"{name}-programs"),
        path(f"{programs}/<str:key>", views.ProgramView.as_view(), name=f"{name}-program"),
        path(
            f"{programs}/<str:key>/validate_membership",
            views.ValidateMembershipView.as_view(),
            name=f"{name}-membership",
        ),
    ]
