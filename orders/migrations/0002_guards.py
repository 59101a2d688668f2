from django.db import migrations

from core.guards import keep_rows, status_guard
from orders.states import ARROWS, ITEM_ARROWS

ROLL_UP = """
CREATE FUNCTION bdv_order_rolls_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  the_order bigint := CASE TG_TABLE_NAME WHEN 'orders' THEN NEW.id
                      ELSE (to_jsonb(NEW)->>'order_id')::bigint END;
  delivered boolean; mailed boolean; open_items bigint;
BEGIN
  SELECT status = 'SUCCEEDED', email_sent_at IS NOT NULL INTO delivered, mailed
    FROM orders WHERE id = the_order;
  SELECT count(*) INTO open_items FROM order_items
   WHERE order_id = the_order AND fulfillment_status IS DISTINCT FROM 'SUCCEEDED';
  IF delivered AND (open_items > 0 OR NOT mailed) THEN
    RAISE EXCEPTION 'order_succeeded_means_all_delivered: order %', the_order
      USING ERRCODE = 'check_violation', CONSTRAINT = 'order_succeeded_means_all_delivered';
  END IF;
  IF NOT delivered AND open_items = 0 THEN
    RAISE EXCEPTION 'order_all_delivered_means_succeeded: order %', the_order
      USING ERRCODE = 'check_violation', CONSTRAINT = 'order_all_delivered_means_succeeded';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER order_rolls_up AFTER INSERT OR UPDATE OF status, email_sent_at ON orders
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'SUCCEEDED')
  EXECUTE FUNCTION bdv_order_rolls_up();
CREATE CONSTRAINT TRIGGER order_item_rolls_up AFTER INSERT OR UPDATE OF fulfillment_status ON order_items
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION bdv_order_rolls_up();
"""
UNDO = """
DROP TRIGGER order_rolls_up ON orders;
DROP TRIGGER order_item_rolls_up ON order_items;
DROP FUNCTION bdv_order_rolls_up();
"""


FIXED = """
CREATE TRIGGER order_price_is_fixed BEFORE UPDATE ON orders FOR EACH ROW
WHEN ((OLD.subtotal_amount, OLD.discount_amount, OLD.total_amount, OLD.currency, OLD.order_number)
      IS DISTINCT FROM
      (NEW.subtotal_amount, NEW.discount_amount, NEW.total_amount, NEW.currency, NEW.order_number))
EXECUTE FUNCTION bdv_refuse('number and price are fixed when the order is placed');
CREATE TRIGGER order_item_is_fixed BEFORE UPDATE ON order_items FOR EACH ROW
WHEN ((OLD.order_id, OLD.variant_id, OLD.quantity, OLD.unit_price)
      IS DISTINCT FROM (NEW.order_id, NEW.variant_id, NEW.quantity, NEW.unit_price))
EXECUTE FUNCTION bdv_refuse('what was bought is fixed when the order is placed');
"""
UNFIX = """
DROP TRIGGER order_price_is_fixed ON orders;
DROP TRIGGER order_item_is_fixed ON order_items;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial"), ("core", "0002_guards")]
    operations = [
        status_guard("orders", ARROWS),
        status_guard("order_items", ITEM_ARROWS, column="fulfillment_status"),
        keep_rows("orders"),
        keep_rows("order_items"),
        keep_rows("order_events", changeable_while="false"),
        migrations.RunSQL(FIXED, UNFIX),
        migrations.RunSQL(ROLL_UP, UNDO),
    ]
