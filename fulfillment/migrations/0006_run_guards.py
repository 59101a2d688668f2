from django.db import migrations

from core.guards import keep_rows, status_guard
from fulfillment.states import ROW_ARROWS, RUN_ARROWS


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0005_recovery_runs"), ("core", "0002_guards")]
    operations = [
        status_guard("recovery_runs", RUN_ARROWS),
        keep_rows("recovery_runs"),
        status_guard("recovery_run_rows", ROW_ARROWS),
        keep_rows("recovery_run_rows"),
    ]
