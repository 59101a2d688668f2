"""`manage.py backup`: the database to one file, the keys to another."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bdvoucher.backups import dump, dump_keys, note_of
from bdvoucher.local.problems import SetupProblem


class Command(BaseCommand):
    help = (
        "Write the database to FILE by pg_dump, with a note of what it holds. With --keys also the "
        "secrets, to a file that belongs to another place: without them every code is lost, and "
        "beside the dump they would open every code."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where the dump goes; never written over")
        parser.add_argument("--keys", type=Path, help="where the keys go; never written over")

    def handle(self, *_: Any, **options: Any) -> None:
        file, keys = options["file"].absolute(), options["keys"]
        if keys is not None and keys.absolute().parent == file.parent:
            raise CommandError("Keep the keys in another folder than the dump, on another machine.")
        try:
            told = dump(file, now=timezone.now())
            if keys is not None:
                dump_keys(keys.absolute())
        except SetupProblem as problem:
            raise CommandError(str(problem)) from None
        rows = ", ".join(f"{count} {table}" for table, count in told["rows"].items())
        self.stdout.write(f"{file} and {note_of(file).name}: {rows}.")
        self.stdout.write(
            f"Its codes can be read with these keys of CODE_KEYS only: {', '.join(told['keys'])}. "
            "Keys lost are codes lost."
        )
