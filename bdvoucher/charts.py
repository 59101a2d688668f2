"""Bars drawn on the server: no script, no library, no address of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 420
HEIGHT: Final = 150
FLOOR: Final = 126
"""Where the bars stand; labels are below."""
GAP: Final = 0.28


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: the whole, and the part of it that is drawn in the warning's colour."""

    label: str
    value: float
    part: float
    words: str
    """What a pointer or a screen reader is told."""
    link: str


@dataclass(frozen=True, slots=True)
class Drawn:
    bar: Bar
    x: float
    width: float
    y: float
    height: float
    part_y: float
    part_height: float
    middle: float
    labelled: bool


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Drawn]
    highest: float
    total: float
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = FLOOR


def chart(bars: Sequence[Bar], *, label_every: int) -> Chart:
    """Place the bars; the highest one reaches the top."""
    highest = max((bar.value for bar in bars), default=0)
    step = WIDTH / max(len(bars), 1)
    scale = (FLOOR - 10) / highest if highest else 0
    drawn = []
    for place, bar in enumerate(bars):
        height, part = bar.value * scale, bar.part * scale
        drawn.append(
            Drawn(
                bar,
                x=round(place * step + step * GAP / 2, 1),
                width=round(step * (1 - GAP), 1),
                y=round(FLOOR - height, 1),
                height=round(height, 1),
                part_y=round(FLOOR - height, 1),
                part_height=round(part, 1),
                middle=round(place * step + step / 2, 1),
                labelled=(len(bars) - 1 - place) % label_every == 0,
            )
        )
    return Chart(drawn, highest, sum(bar.value for bar in bars))
