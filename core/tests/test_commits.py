"""What follows a commit never undoes what its caller has done."""

import pytest
from django.db import transaction

from core.db import after_commit

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_bell_rings_after_the_commit_and_never_after_a_rollback():
    rung: dict[str, int] = {}
    with transaction.atomic():
        after_commit(rung.update, rolled_back=1)
        transaction.set_rollback(True)
    with transaction.atomic():
        after_commit(rung.update, committed=2)
        assert rung == {}
    assert rung == {"committed": 2}


def test_a_bell_that_breaks_is_logged_and_the_next_one_rings(caplog):
    """Whoever committed goes on as if all had been heard: the sweep finds the rows."""
    rung: dict[str, int] = {}
    with transaction.atomic():
        after_commit(int, base="no number")
        after_commit(rung.update, number=7)
    assert rung == {"number": 7}
    assert "Error calling int in on_commit()" in caplog.text
