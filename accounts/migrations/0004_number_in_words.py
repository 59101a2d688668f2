from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_second_factor'),
    ]

    operations = [
        migrations.AlterField(
            model_name='user',
            name='msisdn',
            field=models.CharField(blank=True, max_length=15, null=True, unique=True, verbose_name='mobile number'),
        ),
    ]
