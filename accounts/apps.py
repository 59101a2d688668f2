from typing import Any

from django.apps import AppConfig, apps as installed
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        post_migrate.connect(_after_migrate, dispatch_uid="accounts.groups")


def _after_migrate(sender: AppConfig, *, using: str, apps: Apps = installed, **_: Any) -> None:
    """Runs for each app once Django has made its permissions (`auth` is connected before us)."""
    from accounts.groups import give_rights

    try:
        apps.get_model("auth", "Permission")
    except LookupError:  # a migration to before the first one of `auth`
        return
    give_rights(sender.label, using=using)
