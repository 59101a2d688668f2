from django.db import migrations

from core.guards import keep_rows, status_guard
from vouchers.states import ARROWS

UNIT = """
CREATE FUNCTION bdv_voucher_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  units integer; wanted bigint; paid timestamptz;
BEGIN
  SELECT i.quantity, i.variant_id, o.paid_at INTO units, wanted, paid
    FROM order_items i JOIN orders o ON o.id = i.order_id WHERE i.id = NEW.order_item_id;
  IF NEW.unit_no NOT BETWEEN 1 AND units THEN
    RAISE EXCEPTION 'voucher_unit_within_quantity: item %', NEW.order_item_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_unit_within_quantity';
  END IF;
  IF NEW.variant_id <> wanted THEN
    RAISE EXCEPTION 'voucher_of_the_variant_bought: item %', NEW.order_item_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_of_the_variant_bought';
  END IF;
  IF NEW.status IN ('sold', 'used') AND paid IS NULL THEN
    RAISE EXCEPTION 'voucher_sold_only_when_paid: item %', NEW.order_item_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_sold_only_when_paid';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER voucher_fits BEFORE INSERT OR UPDATE OF status, order_item_id, unit_no, variant_id ON vouchers
  FOR EACH ROW WHEN (NEW.order_item_id IS NOT NULL) EXECUTE FUNCTION bdv_voucher_fits();
"""
UNDO = "DROP TRIGGER voucher_fits ON vouchers; DROP FUNCTION bdv_voucher_fits();"


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial"), ("core", "0002_guards"), ("orders", "0002_guards")]
    operations = [
        status_guard("vouchers", ARROWS),
        keep_rows("vouchers"),
        keep_rows("code_reveals", changeable_while="false"),
        migrations.RunSQL(UNIT, UNDO),
    ]
