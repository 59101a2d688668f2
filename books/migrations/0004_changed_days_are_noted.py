"""Whatever changes a day that may be closed says so, in its own transaction.

The WHEN clauses run inside PostgreSQL's executor: a sale or a payment of today calls no function.
What can't change needs no trigger: prices, totals, amounts of refunds (see the guards of `orders`
and `payments`). Costs of batches and sources are no part of a closed day.
"""

from django.db import migrations

#: A transaction that wrote "now" an hour ago is over; days are closed hours after their end.
OLD = "now() - interval '1 hour'"
#: The lock of a day: shared by those who change it, alone for who closes it.
DAY = "day - date '2000-01-01'"
LOCK = 730_210

CHANGED = f"""
CREATE FUNCTION bdv_books_changed(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE the_day date := (at AT TIME ZONE 'Asia/Dhaka')::date;
BEGIN
  IF at IS NULL OR at >= {OLD} THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock_shared({LOCK}, the_{DAY});
  IF NOT EXISTS (SELECT FROM books_changed_days WHERE day = the_day) THEN
    INSERT INTO books_changed_days (day) VALUES (the_day);
  END IF;
END $$;
CREATE FUNCTION bdv_books_close(day date) RETURNS boolean LANGUAGE sql AS $$
  SELECT pg_try_advisory_xact_lock({LOCK}, {DAY});
$$;
"""
VOUCHERS = f"""
CREATE FUNCTION bdv_books_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bdv_books_changed(OLD.sold_at);
  IF NEW.sold_at IS DISTINCT FROM OLD.sold_at THEN PERFORM bdv_books_changed(NEW.sold_at); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER voucher_changes_old_day AFTER UPDATE OF status, sold_at, revoked_at, variant_id,
  batch_id, order_item_id ON vouchers FOR EACH ROW
  WHEN ((OLD.sold_at < {OLD} OR NEW.sold_at < {OLD})
    AND (OLD.sold_at, OLD.status IN ('sold', 'used'), OLD.revoked_at IS NULL, OLD.variant_id,
         OLD.batch_id, OLD.order_item_id)
    IS DISTINCT FROM (NEW.sold_at, NEW.status IN ('sold', 'used'), NEW.revoked_at IS NULL,
         NEW.variant_id, NEW.batch_id, NEW.order_item_id))
  EXECUTE FUNCTION bdv_books_voucher();
CREATE TRIGGER voucher_comes_to_old_day AFTER INSERT ON vouchers FOR EACH ROW
  WHEN (NEW.sold_at < {OLD}) EXECUTE FUNCTION bdv_books_voucher();
CREATE TRIGGER voucher_leaves_old_day AFTER DELETE ON vouchers FOR EACH ROW
  WHEN (OLD.sold_at < {OLD}) EXECUTE FUNCTION bdv_books_voucher();
"""
MONEY = f"""
CREATE FUNCTION bdv_books_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bdv_books_changed(CASE OLD.status WHEN 'SUCCEEDED' THEN OLD.paid_at
    WHEN 'AMOUNT_MISMATCH' THEN OLD.created_at END);
  PERFORM bdv_books_changed(CASE NEW.status WHEN 'SUCCEEDED' THEN NEW.paid_at
    WHEN 'AMOUNT_MISMATCH' THEN NEW.created_at END);
  IF (OLD.method, OLD.received_currency) IS DISTINCT FROM (NEW.method, NEW.received_currency) THEN
    PERFORM bdv_books_changed(ended_at) FROM refunds
    WHERE payment_id = NEW.id AND status = 'SUCCEEDED';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER payment_changes_old_day AFTER UPDATE OF status, paid_at, created_at, method, amount,
  received_amount, received_currency ON payments FOR EACH ROW
  WHEN ((OLD.status IN ('SUCCEEDED', 'AMOUNT_MISMATCH')
      OR NEW.status IN ('SUCCEEDED', 'AMOUNT_MISMATCH'))
    AND least(OLD.created_at, OLD.paid_at, NEW.created_at, NEW.paid_at) < {OLD}
    AND (OLD.status, OLD.paid_at, OLD.created_at, OLD.method, OLD.amount, OLD.received_amount,
         OLD.received_currency)
    IS DISTINCT FROM (NEW.status, NEW.paid_at, NEW.created_at, NEW.method, NEW.amount,
         NEW.received_amount, NEW.received_currency))
  EXECUTE FUNCTION bdv_books_payment();
CREATE TRIGGER payment_comes_to_old_day AFTER INSERT ON payments FOR EACH ROW
  WHEN (NEW.status IN ('SUCCEEDED', 'AMOUNT_MISMATCH')
    AND least(NEW.created_at, NEW.paid_at) < {OLD})
  EXECUTE FUNCTION bdv_books_payment();
CREATE FUNCTION bdv_books_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bdv_books_changed(CASE OLD.status WHEN 'SUCCEEDED' THEN OLD.ended_at END);
  PERFORM bdv_books_changed(CASE NEW.status WHEN 'SUCCEEDED' THEN NEW.ended_at END);
  RETURN NULL;
END $$;
CREATE TRIGGER refund_changes_old_day AFTER INSERT OR UPDATE OF status, ended_at, amount ON refunds
  FOR EACH ROW WHEN (NEW.ended_at < {OLD}) EXECUTE FUNCTION bdv_books_refund();
CREATE TRIGGER refund_leaves_old_day AFTER UPDATE OF status, ended_at, amount ON refunds
  FOR EACH ROW WHEN (OLD.ended_at < {OLD}) EXECUTE FUNCTION bdv_books_refund();
"""
# A purchase that is found to have succeeded may be of a code that was sold long ago.
PURCHASES = """
CREATE FUNCTION bdv_books_purchase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bdv_books_changed(CASE OLD.status WHEN 'SUCCEEDED' THEN OLD.ended_at END);
  PERFORM bdv_books_changed(CASE NEW.status WHEN 'SUCCEEDED' THEN NEW.ended_at END);
  PERFORM bdv_books_changed(sold_at) FROM vouchers WHERE id IN (OLD.voucher_id, NEW.voucher_id);
  RETURN NULL;
END $$;
CREATE TRIGGER purchase_comes_to_old_day AFTER INSERT ON partner_api_transactions FOR EACH ROW
  WHEN (NEW.status = 'SUCCEEDED') EXECUTE FUNCTION bdv_books_purchase();
CREATE TRIGGER purchase_changes_old_day AFTER UPDATE OF status, ended_at, voucher_id, source_id,
  partner_id, response ON partner_api_transactions FOR EACH ROW
  WHEN ((OLD.status = 'SUCCEEDED' OR NEW.status = 'SUCCEEDED')
    AND (OLD.status, OLD.ended_at, OLD.voucher_id, OLD.source_id, OLD.partner_id, OLD.response)
    IS DISTINCT FROM (NEW.status, NEW.ended_at, NEW.voucher_id, NEW.source_id, NEW.partner_id,
      NEW.response))
  EXECUTE FUNCTION bdv_books_purchase();
"""
UNDO = """
DROP TRIGGER voucher_changes_old_day ON vouchers;
DROP TRIGGER voucher_comes_to_old_day ON vouchers;
DROP TRIGGER voucher_leaves_old_day ON vouchers;
DROP TRIGGER payment_changes_old_day ON payments;
DROP TRIGGER payment_comes_to_old_day ON payments;
DROP TRIGGER refund_changes_old_day ON refunds;
DROP TRIGGER refund_leaves_old_day ON refunds;
DROP TRIGGER purchase_comes_to_old_day ON partner_api_transactions;
DROP TRIGGER purchase_changes_old_day ON partner_api_transactions;
DROP FUNCTION bdv_books_voucher(), bdv_books_payment(), bdv_books_refund(), bdv_books_purchase(),
  bdv_books_changed(timestamptz), bdv_books_close(date);
"""
#: Sums as exact as those that are added up now; a field of Django's has to have a scale.
EXACT = """
ALTER TABLE books_day_sales ALTER COLUMN brought TYPE numeric, ALTER COLUMN charged TYPE numeric;
ALTER TABLE books_day_spending ALTER COLUMN cost TYPE numeric;
"""


class Migration(migrations.Migration):
    dependencies = [("books", "0003_closed_days"), ("payments", "0007_export_right"),
                    ("fulfillment", "0004_partner_callbacks"), ("vouchers", "0003_revoked_codes")]
    operations = [
        migrations.RunSQL(EXACT, migrations.RunSQL.noop),
        migrations.RunSQL(CHANGED + VOUCHERS + MONEY + PURCHASES, UNDO),
    ]
