"""Five statuses, three sources (contract page bdvoucher, section 3.1)."""

import pytest

from catalog.models import PartnerSource, Variant
from catalog.selectors import stock_of
from catalog.states import FulfillmentType

POOL = PartnerSource(fulfillment_type=FulfillmentType.PRELOADED)
UNCAPPED = PartnerSource(fulfillment_type=FulfillmentType.API)
CAPPED = PartnerSource(fulfillment_type=FulfillmentType.API, stock_cap=10)


@pytest.mark.parametrize(
    ("sources", "free", "ordered", "threshold", "status", "source", "level", "in_stock"),
    [
        ([POOL], 47, 0, 5, "in_stock", "preloaded", 47, True),
        ([POOL], 5, 0, 5, "low_stock", "preloaded", 5, True),
        ([POOL], 5, 0, None, "in_stock", "preloaded", 5, True),
        ([POOL], 0, 0, 5, "out_of_stock", "preloaded", 0, False),
        ([POOL, UNCAPPED], 0, 0, None, "out_of_stock", "preloaded", 0, False),
        ([UNCAPPED], 0, 99, 5, "unlimited", "api", None, True),
        ([UNCAPPED, POOL], 3, 0, 5, "unlimited", "api", None, True),
        ([CAPPED], 0, 2, 5, "in_stock", "api", 8, True),
        ([CAPPED], 0, 6, 5, "low_stock", "api", 4, True),
        ([CAPPED], 0, 10, 5, "out_of_stock", "api", 0, False),
        ([CAPPED], 0, 13, 5, "out_of_stock", "api", 0, False),
        ([], 0, 0, 5, "untracked", "untracked", None, False),
        ([], 2, 0, 5, "low_stock", "preloaded", 2, True),
    ],
)
def test_stock(  # noqa: PLR0917 - a row of the table above
    sources, free, ordered, threshold, status, source, level, in_stock
):
    stock = stock_of(Variant(low_stock_threshold=threshold), sources, free=free, ordered=ordered)
    assert (stock.status, stock.source, stock.level) == (status, source, level)
    assert stock.in_stock is in_stock
    assert stock.low is (status == "low_stock")
