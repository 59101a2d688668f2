import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from core.guards import keep_rows, status_guard
from payments.states import REFUND_ARROWS

CAME = """
UPDATE payments SET received_amount = amount, received_currency = currency
 WHERE status = 'SUCCEEDED';
"""
NEVER_MORE = """
CREATE FUNCTION bdv_refund_within_paid() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  came numeric; gone numeric;
BEGIN
  SELECT received_amount INTO came FROM payments WHERE id = NEW.payment_id FOR UPDATE;
  SELECT coalesce(sum(amount), 0) INTO gone FROM refunds
   WHERE payment_id = NEW.payment_id AND status <> 'FAILED' AND id <> NEW.id;
  IF came IS NULL OR gone + NEW.amount > came THEN
    RAISE EXCEPTION 'refund_never_more_than_paid: payment %', NEW.payment_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_never_more_than_paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refund_within_paid BEFORE INSERT ON refunds FOR EACH ROW
  EXECUTE FUNCTION bdv_refund_within_paid();
CREATE TRIGGER refund_is_fixed BEFORE UPDATE ON refunds FOR EACH ROW
WHEN ((OLD.payment_id, OLD.reference, OLD.amount, OLD.units, OLD.revoked)
      IS DISTINCT FROM (NEW.payment_id, NEW.reference, NEW.amount, NEW.units, NEW.revoked))
EXECUTE FUNCTION bdv_refuse('what is paid back is fixed when it is asked for');
CREATE TRIGGER payment_keeps_what_came BEFORE UPDATE OF received_amount ON payments FOR EACH ROW
WHEN (OLD.received_amount IS NOT NULL AND OLD.status = 'SUCCEEDED'
      AND NEW.received_amount IS DISTINCT FROM OLD.received_amount)
EXECUTE FUNCTION bdv_refuse('what came is fixed once the payment has succeeded');
"""
UNDO = """
DROP TRIGGER payment_keeps_what_came ON payments;
DROP TRIGGER refund_is_fixed ON refunds;
DROP TRIGGER refund_within_paid ON refunds;
DROP FUNCTION bdv_refund_within_paid();
"""
OPEN = Q(status__in=["REQUESTED", "PENDING"])


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_carrier_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterModelOptions(
            "payment", {"ordering": ["pk"], "permissions": [("refund_payment", "Can pay money back")]}
        ),
        migrations.AddField(
            "payment",
            "received_amount",
            models.DecimalField(decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AddField(
            "payment",
            "received_currency",
            models.CharField(blank=True, default="", max_length=3),
            preserve_default=False,
        ),
        migrations.RunSQL(CAME, migrations.RunSQL.noop),
        migrations.CreateModel(
            "Refund",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=50, unique=True)),
                ("status", models.CharField(choices=[("REQUESTED", "To be sent"), ("PENDING", "Asked for, not decided"), ("SUCCEEDED", "Paid back"), ("FAILED", "Refused")], default="REQUESTED", max_length=10)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("reason", models.CharField(max_length=300)),
                ("units", models.JSONField(default=list)),
                ("revoked", models.JSONField(default=list)),
                ("by_hand", models.BooleanField(default=False)),
                ("hand_reference", models.CharField(blank=True, max_length=120)),
                ("gateway_refund_id", models.CharField(blank=True, max_length=120)),
                ("evidence", models.JSONField(default=dict)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("sent_at", models.DateTimeField(null=True)),
                ("checks", models.PositiveSmallIntegerField(default=0)),
                ("next_check_at", models.DateTimeField(null=True)),
                ("correlation_id", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
                ("payment", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment")),
                ("requested_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            {"db_table": "refunds", "ordering": ["pk"]},
        ),
        migrations.CreateModel(
            "GatewayExchange",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked", models.CharField(max_length=20)),
                ("answer", models.CharField(max_length=40)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("evidence", models.JSONField(default=dict)),
                ("milliseconds", models.PositiveIntegerField()),
                ("times", models.PositiveIntegerField(default=1)),
                ("correlation_id", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("payment", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="exchanges", to="payments.payment")),
                ("refund", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="exchanges", to="payments.refund")),
            ],
            {"db_table": "gateway_exchanges", "ordering": ["pk"]},
        ),
        migrations.AddIndex("refund", models.Index(condition=OPEN, fields=["next_check_at"], name="refund_due")),
        migrations.AddConstraint("refund", models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive")),
        migrations.AddConstraint("refund", models.CheckConstraint(condition=~Q(reason=""), name="refund_has_reason")),
        migrations.AddConstraint("refund", models.UniqueConstraint(condition=OPEN, fields=("payment",), name="refund_one_open")),
        migrations.AddConstraint("refund", models.CheckConstraint(
            condition=Q(status__in=["REQUESTED", "PENDING"], ended_at__isnull=True)
            | Q(status__in=["SUCCEEDED", "FAILED"], ended_at__isnull=False),
            name="refund_ended_has_time",
        )),
        migrations.AddConstraint("refund", models.CheckConstraint(
            condition=~Q(status="PENDING") | Q(sent_at__isnull=False), name="refund_pending_was_sent")),
        migrations.AddConstraint("refund", models.CheckConstraint(
            condition=~Q(status="SUCCEEDED", by_hand=True) | ~Q(hand_reference=""), name="refund_by_hand_has_reference")),
        status_guard("refunds", REFUND_ARROWS),
        keep_rows("refunds", changeable_while="OLD.status IN ('REQUESTED', 'PENDING')"),
        keep_rows("gateway_exchanges"),
        migrations.RunSQL(NEVER_MORE, UNDO),
    ]
