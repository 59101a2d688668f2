from django.db import migrations

# An ended attempt stays as it is, but for one thing: what is sealed in it may come under another key
# of the ring (bdvoucher.rotation), by a transaction that says so. All its other columns stay.
AGAIN = """
DROP TRIGGER fulfillment_attempts_final ON fulfillment_attempts;
CREATE TRIGGER fulfillment_attempts_final BEFORE UPDATE ON fulfillment_attempts FOR EACH ROW
WHEN (OLD.status <> 'IN_PROGRESS'
      AND NOT (coalesce(current_setting('bdv.rotating', true), '') = 'on'
               AND length(OLD.codes) > 0 AND length(NEW.codes) > 0
               AND to_jsonb(OLD) - 'codes' = to_jsonb(NEW) - 'codes'))
EXECUTE FUNCTION bdv_refuse('this row is final');
"""
BEFORE = """
DROP TRIGGER fulfillment_attempts_final ON fulfillment_attempts;
CREATE TRIGGER fulfillment_attempts_final BEFORE UPDATE ON fulfillment_attempts FOR EACH ROW
WHEN (NOT (OLD.status = 'IN_PROGRESS')) EXECUTE FUNCTION bdv_refuse('this row is final');
"""


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0007_desk")]
    operations = [migrations.RunSQL(AGAIN, BEFORE)]
