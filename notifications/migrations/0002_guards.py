from django.db import migrations

from core.guards import keep_rows, status_guard
from notifications.states import ARROWS


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial"), ("core", "0002_guards")]
    operations = [status_guard("email_messages", ARROWS), keep_rows("email_messages")]
