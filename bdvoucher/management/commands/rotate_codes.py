"""`manage.py rotate_codes`: bring every sealed code under the newest key of the ring, online."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bdvoucher.rotation import PLACES, Place, left, newest, rotate

ROUNDS = 5


class Command(BaseCommand):
    help = (
        "Seal every code with the newest key of CODE_KEYS. The shop goes on; interrupt it with "
        "Ctrl-C and start it again as you like. It says which keys nothing needs any more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--pause", type=float, default=0.0, help="seconds to wait after every batch"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        new = newest()
        for place in PLACES:
            counted = left(place)
            told = ", ".join(f"{key}: {n}" for key, n in counted.items()) or "nothing sealed"
            self.stdout.write(f"{place.table}.{place.column}: {told}")
            if not options["dry_run"]:
                old = sum(n for key, n in counted.items() if key != new)
                self._turn(place, old, pause=options["pause"])
        needed = {key for place in PLACES for key in left(place)}
        self.stdout.write(f"Sealed with: {', '.join(sorted(needed)) or 'no key'}; newest: {new}.")
        if options["dry_run"]:
            return
        if needed - {new}:
            raise CommandError(
                f"Keys still needed: {', '.join(sorted(needed - {new}))}. Do not take them off the "
                "ring: what they sealed could never be read again."
            )
        self.stdout.write("Every other key may be taken off the ring, once no backup needs it.")

    def _turn(self, place: Place, old: int, *, pause: float) -> None:
        """Round by round, since rows that were in use are passed over."""
        started, done = time.monotonic(), 0
        for _ in range(ROUNDS):
            busy = 0
            for batch in rotate(place):
                done += batch.sealed
                busy += batch.busy
                rate = done / max(time.monotonic() - started, 0.001)
                self.stdout.write(f"  {done} of {old}, {rate:.0f} a second", ending="\r")
                self.stdout.flush()
                if batch.unreadable:
                    self.stderr.write(
                        self.style.ERROR(f"\n  {batch.unreadable} can't be read: their key is lost")
                    )
                time.sleep(pause)
            if not busy:
                break
            time.sleep(1)
        self.stdout.write(f"  {done} sealed anew in {time.monotonic() - started:.1f} s      ")
