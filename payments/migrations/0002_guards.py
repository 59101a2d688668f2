from django.db import migrations

from core.guards import keep_rows, status_guard
from payments.states import ARROWS

PAID = """
CREATE FUNCTION bdv_payment_moves_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM orders WHERE id = NEW.order_id AND paid_at IS NOT NULL) THEN
    RAISE EXCEPTION 'payment_succeeded_means_order_paid: payment %', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_succeeded_means_order_paid';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_moves_order AFTER INSERT OR UPDATE OF status ON payments
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'SUCCEEDED')
  EXECUTE FUNCTION bdv_payment_moves_order();
"""
UNDO = "DROP TRIGGER payment_moves_order ON payments; DROP FUNCTION bdv_payment_moves_order();"


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"), ("core", "0002_guards"), ("orders", "0002_guards")
    ]
    operations = [
        status_guard("payments", ARROWS),
        keep_rows("payments"),
        migrations.RunSQL(PAID, UNDO),
    ]
