"""Backups: the database by pg_dump, the keys apart from it, and a look whether both fit together.

A dump without the keys is a shop without its codes: they are sealed, and nobody can open them
again. A dump *with* the keys beside it is every code in the clear for whoever finds it. So the
keys are a file of their own, for another place, and the dump only says which keys it needs.
"""

import hashlib
import hmac
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from bdvoucher.local.environment import write_env_file
from bdvoucher.local.postgres import find_binaries
from bdvoucher.local.problems import SetupProblem
from bdvoucher.rotation import PLACES, left
from vouchers.ciphers import Unreadable, fingerprint, unseal_secret
from vouchers.models import Voucher

KEYS: Final = ("CODE_KEYS", "CODE_FINGERPRINT_KEY", "SECRET_KEY", "JWT_SIGNING_KEY")
COUNTED: Final = ("orders", "order_items", "payments", "vouchers", "fulfillment_attempts")
SAMPLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """How far database and keys belong together."""

    read: int
    lost: Mapping[str, int]
    """Key that is not on the ring -> how many values only it can open."""
    strange: int
    """Codes that open, and are found under another fingerprint than ours."""

    @property
    def good(self) -> bool:
        return not self.lost and not self.strange


def dump(file: Path, *, now: datetime) -> dict[str, Any]:
    """Write the database to `file` and what is in it to `<file>.json`; returns the latter."""
    if file.exists():
        raise SetupProblem(f"{file} is there already: a backup is never written over.")
    half = file.with_name(f"{file.name}.half")
    half.touch(mode=0o600)
    _run("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={half}")
    half.replace(file)
    told = {
        "made_at": now.isoformat(timespec="seconds"),
        "sha256": _digest(file),
        "rows": counted(),
        "keys": sorted({key for place in PLACES for key in left(place)}),
        "fingerprint_key": fingerprint_key_check(),
    }
    note_of(file).write_text(json.dumps(told, indent=2) + "\n")
    return told


def dump_keys(file: Path) -> None:
    """The secrets of this shop, for its owner's eyes only."""
    if file.exists():
        raise SetupProblem(f"{file} is there already: keys are never written over.")
    found = {name: os.environ.get(name, "") for name in KEYS}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise SetupProblem(f"{', '.join(missing)} is not set in the environment of this command.")
    says = "# Without CODE_KEYS every code in the database is lost. Keep this away from the dumps."
    write_env_file(file, found, says)


def restore(file: Path) -> dict[str, Any]:
    """Read a dump into an empty database.

    Raises:
        SetupProblem: the database is not empty, the file was changed, or pg_restore complains.
    """
    if not file.exists():
        raise SetupProblem(f"There is no {file}.")
    told: dict[str, Any] = json.loads(note_of(file).read_text()) if note_of(file).exists() else {}
    if told and told["sha256"] != _digest(file):
        raise SetupProblem(f"{file} is not the file that was written: its digest differs.")
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            raise SetupProblem("This database is not empty: make a new one (createdb) to restore.")
    connection.close()
    _run(
        *("pg_restore", "--no-owner", "--no-acl", "--exit-on-error", "--single-transaction"),
        f"--dbname={_places()['PGDATABASE']}",
        str(file),
    )
    return told


def keys_fit(sample: int = SAMPLE) -> Fit:
    """Whether the ring opens what is sealed, and codes are found under our fingerprint key.

    Every value's key name is counted; the newest and the oldest `sample` codes are opened.
    """
    lost: dict[str, int] = {}
    for place in PLACES:
        for key, count in left(place).items():
            if key not in settings.CODE_KEYS:
                lost[key] = lost.get(key, 0) + count
    read, strange = 0, 0
    for order in ("pk", "-pk"):
        for voucher in Voucher.objects.order_by(order).only("secret", "fingerprint")[:sample]:
            try:
                secret = unseal_secret(voucher.secret)
            except Unreadable as exc:
                if not lost:
                    lost[str(exc)] = 1
                continue
            read += 1
            ours = fingerprint(secret.code or secret.redemption_url)
            strange += ours != bytes(voucher.fingerprint)
    return Fit(read, lost, strange)


def counted() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in COUNTED:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own
            found[table] = cursor.fetchone()[0]
    return found


def fingerprint_key_check() -> str:
    """Tells whether a key is the same one, and nothing of it."""
    told = hmac.new(settings.CODE_FINGERPRINT_KEY, b"which key is this", hashlib.sha256)
    return told.hexdigest()[:16]


def note_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs; the password travels in the environment, never in `ps`."""
    done = subprocess.run(
        [_program(program), *arguments],
        env={**os.environ, **_places()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupProblem(f"{program} failed: {done.stderr.strip()[-1000:]}")


def _program(name: str) -> str:
    try:
        ours = find_binaries() / name
    except SetupProblem:
        ours = Path(name)
    found = str(ours) if ours.exists() else shutil.which(name)
    if not found:
        raise SetupProblem(
            f"There is no {name}: install PostgreSQL's client programs, or set PGBIN."
        )
    return found


def _places() -> dict[str, str]:
    """Where the database is, as libpq's programs are told."""
    told = connection.settings_dict
    host = told.get("OPTIONS", {}).get("host") or told.get("HOST") or ""
    named = {
        "PGHOST": host,
        "PGPORT": str(told.get("PORT") or ""),
        "PGUSER": told.get("USER") or "",
        "PGPASSWORD": told.get("PASSWORD") or "",
        "PGDATABASE": told["NAME"],
    }
    return {name: value for name, value in named.items() if value}
