"""`manage.py restore`: a dump into an empty database, and a look whether the keys fit."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bdvoucher.backups import counted, fingerprint_key_check, keys_fit, restore
from bdvoucher.invariants import check_all
from bdvoucher.local.problems import SetupProblem


class Command(BaseCommand):
    help = (
        "Read FILE, made by `backup`, into the empty database of DATABASE_URL; then count rows, "
        "open its codes with the keys of this environment, and go through every rule."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--only-check", action="store_true", help="restore nothing: look at what is there"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            told = {} if options["only_check"] else restore(options["file"].absolute())
        except SetupProblem as problem:
            raise CommandError(str(problem)) from None
        wrong = [*self._rows(told), *self._keys(told), *self._rules()]
        for sentence in wrong:
            self.stderr.write(self.style.ERROR(sentence))
        if wrong:
            raise CommandError("Do not open this shop yet.")
        self.stdout.write("Rows, keys and rules are as they must be.")

    def _rows(self, told: dict[str, Any]) -> list[str]:
        here = counted()
        self.stdout.write("Rows: " + ", ".join(f"{n} {table}" for table, n in here.items()))
        return [
            f"{table}: {here[table]} rows instead of {count}."
            for table, count in told.get("rows", {}).items()
            if here[table] != count
        ]

    def _keys(self, told: dict[str, Any]) -> list[str]:
        wrong = []
        if told.get("fingerprint_key", fingerprint_key_check()) != fingerprint_key_check():
            wrong.append(
                "CODE_FINGERPRINT_KEY is another one: codes would not be found, and could be sold "
                "twice. Set the one of the backup."
            )
        fit = keys_fit()
        self.stdout.write(f"Codes opened: {fit.read}")
        for key, count in fit.lost.items():
            wrong.append(
                f"{count} codes are sealed with the key {key!r}, which CODE_KEYS has not. Without "
                "it they are lost for ever: find the key before anything else."
            )
        if fit.strange:
            wrong.append(f"{fit.strange} codes are not found under this CODE_FINGERPRINT_KEY.")
        return wrong

    def _rules(self) -> list[str]:
        """All but those that only say that work lies about too long: it does, since the backup."""
        checked = check_all(now=timezone.now())
        return [
            str(breach) for rule, found in checked for breach in found if "%(late)s" not in rule.sql
        ]
