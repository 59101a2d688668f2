"""The drills an operator runs are run here too, with quick settings: one of them, and all by
`./run prove drills`."""

import pytest

from bdvoucher.local.drills import DRILLS, QUICK, run
from bdvoucher.local.stack import Shop
from tests.telling import FULL

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]


@pytest.mark.parametrize("name", DRILLS if FULL else ["worker-kill"])
def test_every_promise_of_a_drill_is_kept(name: str) -> None:
    with Shop.fresh(extra_env=QUICK) as shop:
        day = run(name, shop)
    assert len(day.promises) >= 8
    assert [text for text, kept in day.promises if not kept] == []
