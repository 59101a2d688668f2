from django.db import migrations

from core.guards import keep_rows, status_guard
from orders.states import SUBSCRIPTION_ARROWS


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_subscriptions"), ("core", "0002_guards")]
    operations = [status_guard("subscriptions", SUBSCRIPTION_ARROWS), keep_rows("subscriptions")]
