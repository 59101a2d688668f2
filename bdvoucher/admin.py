"""The operators' site; each app registers its own pages on it."""

from django.contrib.admin import AdminSite


class ShopAdminSite(AdminSite):
    site_header = "BD Voucher"
    site_title = "BD Voucher"
    index_title = "Operations"
    enable_nav_sidebar = True
