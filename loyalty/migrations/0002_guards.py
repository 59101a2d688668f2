from django.db import migrations

from core.guards import keep_rows, status_guard
from loyalty.states import TRANSFER_ARROWS


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial"), ("core", "0002_guards")]
    operations = [
        status_guard("loyalty_points_transfers", TRANSFER_ARROWS),
        keep_rows("loyalty_points_transfers"),
        keep_rows("loyalty_fulfillment_orders"),
    ]
