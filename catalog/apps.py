from typing import Any

from django.apps import AppConfig
from django.db.models.signals import m2m_changed, post_delete, post_save


class CatalogConfig(AppConfig):
    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every row of this app is shown in the catalogue: a change puts aside what is kept of it.

        Bulk statements send no signal; the models' query sets see to those.
        """
        from catalog.models import CATALOGUE

        def turn(**_: Any) -> None:
            CATALOGUE.turn_on_commit()

        for model in self.get_models(include_auto_created=True):
            for signal in (post_save, post_delete, m2m_changed):
                signal.connect(turn, sender=model, weak=False, dispatch_uid=f"kept:{model}")
