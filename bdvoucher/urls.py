"""Where everything answers.

The seeds' literal paths (`/admin/orders/...`) stand before the admin's own pages; ids there
are digits, and the admin's pages never are (ADR 0007).
"""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
