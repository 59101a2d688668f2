from django.db import migrations

from core.guards import keep_rows, status_guard
from fulfillment.states import ATTEMPT_ARROWS, PURCHASE_ARROWS


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0001_initial"), ("core", "0002_guards")]
    operations = [
        status_guard("fulfillment_attempts", ATTEMPT_ARROWS),
        keep_rows("fulfillment_attempts", changeable_while="OLD.status = 'IN_PROGRESS'"),
        status_guard("partner_api_transactions", PURCHASE_ARROWS),
        keep_rows("partner_api_transactions"),
    ]
