"""The drill: backed up, lost, restored; and what is said when the keys are gone."""

import base64
import json
import os
import subprocess
import sys
from io import StringIO
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as live
from django.core.management import CommandError, call_command
from django.db import connection

from bdvoucher.backups import note_of
from catalog.tests.factories import VariantFactory
from orders.tests.factories import OrderFactory, OrderItemFactory
from payments.tests.factories import PaymentFactory
from vouchers.tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "BACKUP-CANARY-1234-WXYZ"
OTHER = base64.b64encode(b"9" * 32).decode()


@pytest.fixture
def file(tmp_path):
    VoucherFactory(variant=VariantFactory(preloaded=True), code=CANARY)
    order = OrderFactory()
    OrderItemFactory(order=order, quantity=5)
    PaymentFactory(order=order)
    file = tmp_path / "shop.dump"
    call_command("backup", str(file), stdout=StringIO())
    return file


@pytest.fixture
def empty_database():
    name = f"restored_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def url_of(name):
    told = connection.settings_dict
    host = told["OPTIONS"].get("host") or told["HOST"]
    secret = f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else ""
    options = {"host": host} | ({"port": told["PORT"]} if told["PORT"] else {})
    return f"postgres://{quote(told['USER'])}{secret}@/{name}?{urlencode(options)}"


def restored(file, name, *options, **environment):
    """`manage.py restore` as a person runs it, on another database."""
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(file), *options],
        cwd=live.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "bdvoucher.settings.test",
             "DATABASE_URL": url_of(name), **environment},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_drill(file, empty_database):
    told = json.loads(note_of(file).read_text())
    assert told["rows"]["vouchers"] == 1
    assert told["keys"] == ["t1"]
    assert file.stat().st_mode & 0o077 == 0
    done = restored(file, empty_database)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Codes opened: 2" in done.stdout  # the only one, as the newest and as the oldest
    again = restored(file, empty_database)
    assert again.returncode != 0
    assert "not empty" in again.stderr

    lost = restored(file, empty_database, "--only-check", CODE_KEYS=f"k9:{OTHER}")
    assert lost.returncode != 0
    assert "1 codes are sealed with the key 't1'" in lost.stderr
    assert "lost for ever" in lost.stderr

    other = restored(file, empty_database, "--only-check", CODE_FINGERPRINT_KEY=OTHER)
    assert other.returncode != 0
    assert "not found under this CODE_FINGERPRINT_KEY" in other.stderr


def test_no_code_is_in_a_dump(file):
    assert CANARY.encode() not in file.read_bytes()


def test_a_file_that_was_changed_is_refused(file, empty_database):
    with file.open("ab") as opened:
        opened.write(b"x")
    done = restored(file, empty_database)
    assert done.returncode != 0
    assert "its digest differs" in done.stderr


def test_nothing_is_written_over_and_keys_stay_apart(file, tmp_path, monkeypatch):
    with pytest.raises(CommandError, match="never written over"):
        call_command("backup", str(file))
    with pytest.raises(CommandError, match="another folder"):
        call_command("backup", str(tmp_path / "b.dump"), keys=tmp_path / "keys.env")
    for name in ("CODE_KEYS", "CODE_FINGERPRINT_KEY", "SECRET_KEY", "JWT_SIGNING_KEY"):
        monkeypatch.setenv(name, f"value-of-{name}")
    keys = tmp_path / "vault" / "keys.env"
    keys.parent.mkdir()
    call_command("backup", str(tmp_path / "b.dump"), keys=keys, stdout=StringIO())
    assert keys.stat().st_mode & 0o077 == 0
    assert "CODE_KEYS=value-of-CODE_KEYS" in keys.read_text()
