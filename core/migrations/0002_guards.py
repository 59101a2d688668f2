from django.db import migrations

from core.guards import REFUSE


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, "DROP FUNCTION bdv_refuse()")]
