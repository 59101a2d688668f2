"""`manage.py up`: servers, database, demo shop, web, worker, beat, simulators, until Ctrl-C."""

from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from bdvoucher.local.up import bring_up, guarded


class Command(BaseCommand):
    help = "Bring the shop up on this machine and keep it up until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="only migrate and seed the database of the environment, and print who may sign in",
        )
        parser.add_argument("--no-seed", action="store_true", help="with --prepare: migrate only")

    def handle(self, *_args: object, **options: Any) -> None:
        if options["prepare"]:
            self._prepare(seed=not options["no_seed"])
        else:
            guarded(bring_up)

    def _prepare(self, *, seed: bool) -> None:
        """Runs in a process of its own, whose environment names the servers that are up by now."""
        call_command("migrate", interactive=False, verbosity=0)
        Path(str(settings.STATIC_ROOT)).mkdir(parents=True, exist_ok=True)
        if not getattr(settings, "WHITENOISE_USE_FINDERS", False):
            call_command("collectstatic", interactive=False, verbosity=0)
        if seed:
            call_command("seed_demo", stdout=StringIO())
            call_command("seed_demo", "--summary", stdout=self.stdout)
