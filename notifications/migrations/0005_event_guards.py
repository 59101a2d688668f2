from django.db import migrations

from core.guards import keep_rows


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_business_mails"), ("core", "0002_guards")]
    operations = [keep_rows("email_events", changeable_while="false")]
