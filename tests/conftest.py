"""What tests over the whole shop share."""

from collections.abc import Callable

import pytest

from tests.telling import FULL, Teller

__all__ = ["tell"]


@pytest.fixture
def tell(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> Teller:
    """Says what a proof counted: `./run prove` puts it into its table."""
    return Teller(record_property, capsys if FULL else None)
