from django.db import migrations

from core.guards import keep_rows, status_guard
from webhooks.states import ARROWS


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial"), ("core", "0002_guards")]
    operations = [
        status_guard("webhook_deliveries", ARROWS),
        keep_rows("webhook_deliveries"),
        keep_rows("webhook_attempts", changeable_while="false"),
        keep_rows("webhook_endpoints"),
    ]
