"""`manage.py services start|stop|status`: PostgreSQL and Valkey alone, without the shop."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bdvoucher.local import services
from bdvoucher.local.up import guarded


class Command(BaseCommand):
    help = "Start, stop or show this project's own PostgreSQL and Valkey."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *_args: object, **options: Any) -> None:
        guarded(getattr(services, options["action"]))
