"""`manage.py drill`: a bad day on a shop of its own, promise by promise."""

import json
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bdvoucher.local.client import StoryError
from bdvoucher.local.drills import DRILLS, QUICK, run
from bdvoucher.local.problems import SetupProblem
from bdvoucher.local.stack import Shop


class Command(BaseCommand):
    help = (
        "Run such a day on a shop of its own (nothing of yours is touched) and print which "
        "promises were kept. Exit code 1 if one was broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", choices=[*DRILLS, "all"], metavar="DRILL")
        parser.add_argument(
            "--shipped", action="store_true", help="the shipped plan, not the quick one: minutes"
        )
        parser.add_argument("--json", metavar="FILE", help="write the promises there as well")

    def handle(self, *_: Any, **options: Any) -> None:
        names = list(DRILLS) if "all" in options["names"] else options["names"]
        plan = {} if options["shipped"] else QUICK
        kept: dict[str, dict[str, bool]] = {}
        try:
            for name in names:
                with Shop.fresh(extra_env=plan) as shop:
                    kept[name] = dict(run(name, shop).promises)
        except (StoryError, SetupProblem) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            with open(os.fspath(options["json"]), "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(kept, file, indent=2)
        broken = [
            f"{name}: {text}" for name, all_ in kept.items() for text, ok in all_.items() if not ok
        ]
        if broken:
            raise CommandError("Broken: " + "; ".join(broken))
        self.stdout.write(f"All {sum(map(len, kept.values()))} promises kept.")
