"""The columns of the partners' matrix, and that every partner has one."""

from collections.abc import Iterator

import pytest

from fulfillment.partners.registry import PARTNERS
from fulfillment.partners.tests.simulator import Simulator, running
from fulfillment.tests.matrix import FAULTS, ReloadlyColumn, ZenditColumn


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("simulators")) as started:
        yield started


class TestZendit(ZenditColumn):
    pass


class TestReloadly(ReloadlyColumn):
    pass


def test_every_partner_has_a_column() -> None:
    columns = {column.slug: column for column in (TestZendit, TestReloadly)}
    assert columns.keys() == PARTNERS.keys()
    for column in columns.values():
        assert {*column.wishes, *column.never} <= FAULTS.keys()
