"""How a long proof says where it is and what it counted."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

#: `./run prove`: everything, not a sample.
FULL: Final = bool(os.environ.get("PROVE"))


@dataclass
class Teller:
    record_property: Callable[[str, object], None]
    screen: pytest.CaptureFixture[str] | None
    """Where progress is shown; None in a run of the whole suite."""

    def figure(self, text: str) -> None:
        self.record_property("figure", text)

    def progress(self, text: str) -> None:
        if self.screen is not None:
            with self.screen.disabled():
                print(f"\n    {text}", end="", flush=True)
