import django.contrib.postgres.fields
from django.db import migrations, models

UNITS = """
ALTER TABLE order_items ADD CONSTRAINT item_refunded_units_exist
  CHECK (0 < ALL (refunded_units) AND quantity >= ALL (refunded_units)
         AND cardinality(refunded_units) <= quantity);
"""
UNDO = "ALTER TABLE order_items DROP CONSTRAINT item_refunded_units_exist;"


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_guards")]
    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={"permissions": [("release_order", "Can release an order that is held as risky")]},
        ),
        migrations.AddField(
            model_name="order",
            name="closed_by_refund",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="orderitem",
            name="refunded_units",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(), default=list, editable=False, size=None
            ),
        ),
        migrations.RunSQL(UNITS, UNDO),
    ]
