from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as StockAdminConfig


class AdminConfig(StockAdminConfig):
    default = False
    default_site = "bdvoucher.admin.ShopAdminSite"


class BdvoucherConfig(AppConfig):
    name = "bdvoucher"

    def ready(self) -> None:
        # Tasks announced by the web process need our app, not Celery's default one. Not in
        # `bdvoucher/__init__.py`: `bdvoucher.local` must be importable before any settings.
        from bdvoucher import (
            celery,  # noqa: F401
            reports,
        )
        from bdvoucher.checks import register_all

        register_all()
        reports.start()
