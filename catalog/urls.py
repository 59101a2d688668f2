"""Mounted at `/api/v1/`."""

from django.urls import URLPattern, URLResolver, path, re_path

from catalog import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("catalog/products", views.ProductListView.as_view(), name="products"),
    re_path(
        r"^catalog/products/(?P<key>[-a-zA-Z0-9_]{1,220})$",
        views.ProductView.as_view(),
        name="product",
    ),
    path("catalog/brands", views.BrandListView.as_view(), name="brands"),
    path("catalog/categories", views.CategoryListView.as_view(), name="categories"),
    path(
        "orders/fulfillment-fields/<int:variant_id>",
        views.FulfillmentFieldsView.as_view(),
        name="fulfillment-fields",
    ),
]
