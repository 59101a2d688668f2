"""`manage.py check_invariants`: does everything hold that must always hold?"""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bdvoucher.invariants import Breach, check_all, keep_alerts, order_numbers


class Command(BaseCommand):
    help = "Go through every rule about money and codes; exit code 1 if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for a script")
        parser.add_argument("--alerts", action="store_true", help="raise and close alerts as well")

    def handle(self, *_: Any, **options: Any) -> None:
        now = timezone.now()
        breaches: list[Breach] = []
        seconds: dict[str, float] = {}
        since = time.monotonic()
        for rule, found in check_all(now=now):
            breaches += found
            seconds[rule.name] = round(time.monotonic() - since, 3)
            since = time.monotonic()
            if not options["json"]:
                word = self.style.ERROR(f"{len(found):>5}") if found else f"{'ok':>5}"
                self.stdout.write(f"{rule.name:<4}{word} {seconds[rule.name]:7.2f} s  {rule.says}")
        if options["alerts"]:
            keep_alerts(breaches, now=now)
        numbers = order_numbers(breaches)
        if options["json"]:
            rows = [
                {"rule": each.rule, "order": numbers.get(each.order_id or 0), "what": each.what}
                for each in breaches
            ]
            self.stdout.write(json.dumps({"breaches": rows, "seconds": seconds}))
        else:
            for each in breaches:
                where = f" (order #{numbers[each.order_id]})" if each.order_id in numbers else ""
                self.stdout.write(self.style.ERROR(f"  {each}{where}"))
            total = sum(seconds.values())
            self.stdout.write(f"{len(breaches)} breach(es), {len(seconds)} rules, {total:.1f} s")
        if breaches:
            raise SystemExit(1)
