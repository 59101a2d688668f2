"""Secrets made once and kept private; what the person set wins; locks that match."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from bdvoucher.local import environment, locks
from bdvoucher.local.ports import Ports


def test_secrets_are_made_once_and_are_private(tmp_path):
    first = environment.kept_secrets(tmp_path)
    second = environment.kept_secrets(tmp_path)

    assert first == second
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    name, _, key = first["CODE_KEYS"].partition(":")
    assert (name, len(base64.b64decode(key))) == ("k1", 32)
    assert len(base64.b64decode(first["CODE_FINGERPRINT_KEY"])) == 32


def test_a_secret_that_is_missing_is_added_and_the_others_stay(tmp_path):
    (tmp_path / "secrets.env").write_text("SECRET_KEY=mine\n")

    made = environment.kept_secrets(tmp_path)

    assert made["SECRET_KEY"] == "mine"
    assert environment.kept_secrets(tmp_path) == made


def test_nagads_keys_are_made_for_each_shop_and_as_pairs(tmp_path):
    (tmp_path / "secrets.env").write_text("NAGAD_GATEWAY_PUBLIC_KEY=half\n")

    made = environment.kept_secrets(tmp_path)

    keys = {name: made[name] for name in environment.NAGAD_KEYS}
    assert "half" not in keys.values()
    assert len(set(keys.values())) == 3
    own = load_der_private_key(base64.b64decode(keys["NAGAD_SIMULATOR_PRIVATE_KEY"]), None)
    told = load_der_public_key(base64.b64decode(keys["NAGAD_GATEWAY_PUBLIC_KEY"]))
    assert own.public_key() == told
    assert environment.kept_secrets(tmp_path) == made


def test_what_is_set_already_wins_over_ours_but_not_over_the_servers():
    env = environment.shop_environment(
        given={"SECRET_KEY": "set", "EMAIL_URL": "", "PGHOST": "elsewhere", "PATH": "/bin"},
        servers={"DATABASE_URL": "postgres://app@/x"},
        ports=Ports(8000, 8100, 8125),
        made_secrets={"SECRET_KEY": "made"},
    )

    assert env["SECRET_KEY"] == "set"
    assert env["EMAIL_URL"] == "smtp://127.0.0.1:8125"
    assert env["BKASH_BASE_URL"] == "http://127.0.0.1:8100/bkash/v1.2.0-beta"
    assert env["DATABASE_URL"] == "postgres://app@/x"
    assert "PGHOST" not in env


def test_adopted_values_do_not_count_as_set_by_the_person(tmp_path, monkeypatch):
    monkeypatch.setenv("BDV_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("SECRET_KEY", "set")
    monkeypatch.delenv("ZENDIT_WEBHOOK_SECRET", raising=False)
    monkeypatch.setattr(environment, "_adopted", set())
    values = {"SECRET_KEY": "running", "ZENDIT_WEBHOOK_SECRET": "running"}
    environment.write_env_file(tmp_path / environment.RUNNING, values)

    with monkeypatch.context() as patch:
        patch.setattr(environment.os, "environ", dict(environment.os.environ))
        environment.adopt()
        assert environment.os.environ["SECRET_KEY"] == "set"
        assert environment.os.environ["ZENDIT_WEBHOOK_SECRET"] == "running"
        assert "ZENDIT_WEBHOOK_SECRET" not in environment.given_environment()


def test_a_shop_of_its_own_takes_nothing_said_to_another(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://other")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("BKASH_BASE_URL", "https://real.example.com")

    found = environment.neutral_environment()

    assert not {"DATABASE_URL", "PGHOST", "BKASH_BASE_URL"} & set(found)
    assert "PATH" in found


def test_the_locks_hold_what_is_asked_for():
    assert locks.check() == []


@pytest.mark.parametrize(
    ("lock", "complaint"),
    [
        ("django==5.2.1 \\\n    --hash=sha256:ab\n", None),
        ("django==6.0 \\\n    --hash=sha256:ab\n", "pins django 6.0"),
        ("other==1.0 \\\n    --hash=sha256:ab\n", "does not hold django"),
        ("django==5.2.1\n", "without a hash"),
    ],
)
def test_a_lock_that_does_not_match_is_named(tmp_path, lock, complaint):
    (tmp_path / "base.in").write_text("django~=5.2.0  # the LTS\n")
    (tmp_path / "test.in").write_text("-r base.in\n")
    (tmp_path / "test.txt").write_text(lock)

    found = locks.differences(tmp_path / "test.in", tmp_path / "test.txt")

    assert found == [] if complaint is None else complaint in found[0]
