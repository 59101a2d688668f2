"""Where everything answers.

The seeds' literal paths (`/admin/orders/<digits>/...`) stand before the admin's own pages;
ids there are digits, and the admin's pages never are (ADR 0007).
"""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.urls import admin_urlpatterns as staff_accounts, client_urlpatterns as accounts
from bdvoucher import views
from fulfillment.urls import operator_routes, queue_routes, webhook_routes
from loyalty.urls import programme_routes
from notifications.urls import alert_routes, order_mail_routes
from notifications.views import tracking
from orders.urls import discount_routes
from payments.carrier_views import carrier_page
from payments.link_views import end_subscription, pay
from payments.urls import operator_routes as payment_routes
from payments.views import payment_return
from vouchers.urls import batch_routes

api: list[URLPattern | URLResolver] = [
    *accounts,
    path("", include("catalog.urls")),
    path("", include("orders.urls")),
    path("", include("vouchers.urls")),
    path("", include("payments.urls")),
    *webhook_routes,
    path("", include(programme_routes("api-programme"))),
    path("admin/", include(staff_accounts)),
    path("admin/", include(discount_routes("api-admin"))),
    path("admin/", include(queue_routes("api-admin"))),
    path("admin/", include(alert_routes("api-admin"))),
    path("admin/", include("books.urls")),
    path("admin/", include(batch_routes())),
    path("admin/", include("webhooks.urls")),
    path("admin/orders/", include(operator_routes("api-admin"))),
    path("admin/ordersv2/", include(order_mail_routes("api-admin"))),
    path("admin/payments/", include(payment_routes("api-admin"))),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.front_door, name="front-door"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics_page, name="metrics"),
    path("api/v1/", include(api)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/redoc.js", views.redoc_bundle, name="redoc-bundle"),
    path("api/redoc/", views.RedocView.as_view(url_name="schema"), name="redoc"),
    path("payments/carrier/<str:token>", carrier_page, name="payment-carrier"),
    path("payments/return/", payment_return, name="payment-return-unknown"),
    path("payments/return/<str:token>", payment_return, name="payment-return"),
    path("pay/<str:token>", pay, name="pay-by-link"),
    path("subscriptions/end/<str:token>", end_subscription, name="end-subscription"),
    path("anymail/<slug:provider>/tracking/", tracking, name="mail-tracking"),
    path("", include(programme_routes("programme"))),
    path("ordersv2/", include(order_mail_routes("nexway"))),
    path("admin/", include(discount_routes("admin"))),
    path("admin/", include(queue_routes("admin"))),
    path("admin/", include(alert_routes("admin"))),
    path("admin/orders/", include(operator_routes("admin"))),
    path("admin/payments/", include(payment_routes("admin"))),
    path("admin/", admin.site.urls),
]
handler400 = "core.api.errors.bad_request"
handler404 = "core.api.errors.not_found"
handler500 = "core.api.errors.server_error"
