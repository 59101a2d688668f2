"""The random lives of `tests.proofs.machine`: a few that are always the same, or many by a seed."""

import os
import random
from datetime import timedelta
from typing import Any

import pytest
import responses
from hypothesis import HealthCheck, Phase, seed, settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from fulfillment.tests.partner import BASE, ScriptedZendit
from tests.proofs.machine import Life
from tests.telling import FULL, Teller

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600),
]  # fmt: skip
LIVES, STEPS = (150, 30) if FULL else (5, 12)


def test_random_lives(settings: Any, tell: Teller) -> None:
    settings.ZENDIT_BASE_URL = BASE
    settings.BREAKER_PAUSE = timedelta(0)
    settings.OPERATOR_WAIT_SECONDS = 0
    chosen = int(os.environ.get("PROVE_SEED") or random.SystemRandom().randrange(10**9))
    rules = hypothesis_settings(
        max_examples=LIVES, stateful_step_count=STEPS, deadline=None, database=None,
        derandomize=not FULL, print_blob=True, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if FULL else [Phase.generate],
    )  # fmt: skip
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        shared = {"partner": ScriptedZendit(wire), "settings": settings}
        machine = type("Life", (Life,), shared)
        if FULL:
            machine = seed(chosen)(machine)
            tell.progress(f"PROVE_SEED={chosen}")
        run_state_machine_as_test(machine, settings=rules)
    said = f"seed {chosen}" if FULL else "always the same"
    tell.figure(f"{LIVES} lives of {STEPS} steps ({said}): shop and model agree after each")
