import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0003_health_and_closing")]
    operations = [
        migrations.CreateModel(
            name="PartnerCallback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("partner", models.CharField(max_length=60)),
                ("digest", models.BinaryField(max_length=32)),
                ("reference", models.CharField(blank=True, max_length=150)),
                ("claimed_status", models.CharField(blank=True, max_length=60)),
                ("times", models.PositiveIntegerField(default=1)),
                ("received_at", models.DateTimeField()),
                ("last_received_at", models.DateTimeField()),
                (
                    "purchase",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="callbacks",
                        to="fulfillment.partnertransaction",
                    ),
                ),
            ],
            options={"db_table": "partner_callbacks"},
        ),
        migrations.AddConstraint(
            model_name="partnercallback",
            constraint=models.UniqueConstraint(
                fields=("partner", "digest"), name="partner_callback_once"
            ),
        ),
    ]
