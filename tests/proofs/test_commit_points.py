"""The process is killed before and after every commit and every call to the outside.

A run without a kill counts the points; then each one is a run of its own: killed there, swept as
the schedule would, and at the end what was promised is true and no rule is broken. `./run prove`
takes every point; a run of the suite some, and not the same ones of each act.
"""

from collections.abc import Iterator

import pytest

from tests.proofs.acts import ACTS, SAMPLED, Act
from tests.proofs.story import Story, World, living_world
from tests.proofs.zygote import KILLED
from tests.telling import FULL, Teller

TRIES = 3
pytestmark = [pytest.mark.timeout(7200), pytest.mark.journey]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with living_world() as made:
        yield made


@pytest.mark.parametrize("name", ACTS if FULL else SAMPLED)
def test_killed_at_every_point(world: World, name: str, tell: Teller) -> None:
    act = ACTS[name]
    whole = Story(world)
    whole.quietly("flush")
    points = act.do(whole, None)["points"]
    if not whole.number:
        whole.took(whole.quietly("request", **whole.placing))
    assert len(points) >= 4
    if FULL:
        act.end(whole)
    # One point of each act, never the same place of two.
    sampled = range(len(points)) if FULL else [(5 * len(name)) % len(points)]
    for point in sampled:
        if point % 10 == 0:
            tell.progress(f"{name}: point {point} of {len(points)}")
        killed_at(world, act, point, points)
    tell.figure(f"{name}: {len(points)} points, killed at {len(sampled)} of them")


def killed_at(world: World, act: Act, point: int, points: list[str]) -> None:
    """One life that is cut there. A run may be shorter than the one counted: it is run again."""
    for _ in range(TRIES):
        story = Story(world)
        story.quietly("flush")
        died = act.do(story, point)
        try:
            act.end(story)
        except AssertionError as exc:
            raise AssertionError(f"killed {points[point]} ({point} of {len(points)})") from exc
        if died["exit"] == KILLED:
            return
    raise AssertionError(f"point {point} of {len(points)} was not reached: {died}")
