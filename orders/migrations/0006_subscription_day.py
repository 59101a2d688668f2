from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_subscription_guards")]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="billing_day",
            field=models.PositiveSmallIntegerField(default=1, editable=False),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("billing_day__gte", 1), ("billing_day__lte", 31)),
                name="subscription_day",
            ),
        ),
    ]
