import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

REFUNDED = """
CREATE FUNCTION bdv_voucher_not_refunded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM order_items WHERE id = NEW.order_item_id
             AND NEW.unit_no = ANY (refunded_units)) THEN
    RAISE EXCEPTION 'voucher_unit_not_refunded: item %', NEW.order_item_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_unit_not_refunded';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER voucher_not_refunded_sold BEFORE UPDATE OF status, order_item_id, unit_no ON vouchers
  FOR EACH ROW WHEN (NEW.status = 'sold' AND NEW.revoked_at IS NULL
    AND (OLD.status, OLD.order_item_id, OLD.unit_no)
        IS DISTINCT FROM (NEW.status, NEW.order_item_id, NEW.unit_no))
  EXECUTE FUNCTION bdv_voucher_not_refunded();
CREATE TRIGGER voucher_not_refunded_new BEFORE INSERT ON vouchers
  FOR EACH ROW WHEN (NEW.status = 'sold' AND NEW.revoked_at IS NULL)
  EXECUTE FUNCTION bdv_voucher_not_refunded();

CREATE FUNCTION bdv_unit_refundable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM vouchers WHERE order_item_id = NEW.id AND status IN ('sold', 'used')
             AND revoked_at IS NULL AND unit_no = ANY (NEW.refunded_units)) THEN
    RAISE EXCEPTION 'unit_refunded_only_without_its_code: item %', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'unit_refunded_only_without_its_code';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_item_unit_refundable BEFORE UPDATE OF refunded_units ON order_items
  FOR EACH ROW WHEN (NEW.refunded_units IS DISTINCT FROM OLD.refunded_units)
  EXECUTE FUNCTION bdv_unit_refundable();

CREATE TRIGGER voucher_revoked_for_ever BEFORE UPDATE OF revoked_at ON vouchers FOR EACH ROW
  WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
  EXECUTE FUNCTION bdv_refuse('a revoked code stays revoked');
"""
UNDO = """
DROP TRIGGER voucher_revoked_for_ever ON vouchers;
DROP TRIGGER order_item_unit_refundable ON order_items;
DROP FUNCTION bdv_unit_refundable();
DROP TRIGGER voucher_not_refunded_new ON vouchers;
DROP TRIGGER voucher_not_refunded_sold ON vouchers;
DROP FUNCTION bdv_voucher_not_refunded();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vouchers", "0002_guards"),
        ("orders", "0003_refunded_units"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("voucher", "revoked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "voucher", "revoked_reason", models.CharField(blank=True, max_length=300, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "voucher",
            "revoked_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            "voucher",
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoked_reason="")
                | models.Q(revoked_at__isnull=False, status__in=["sold", "used", "void"])
                & ~models.Q(revoked_reason=""),
                name="voucher_revoked_was_sold",
            ),
        ),
        migrations.RunSQL(REFUNDED, UNDO),
    ]
