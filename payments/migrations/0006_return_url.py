from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_refunds")]
    operations = [
        migrations.AddField(
            model_name="payment",
            name="return_url",
            # The database's own default: a process of the release before writes rows without it.
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        )
    ]
