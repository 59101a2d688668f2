"""What people read when something is wrong: one sentence, the way out, no password."""

import errno
import os
import socket

import pytest

from bdvoucher.local import addresses, places, ports, problems, up


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgres://shop:sesame@127.0.0.1:1/shop", "127.0.0.1:1"),
        ("postgres://shop:sesame@host.invalid/shop", "host.invalid:5432"),
        ("mysql://shop:sesame@127.0.0.1/shop", "not a PostgreSQL address"),
        ("postgres://shop:sesame@127.0.0.1:port/shop", "not a PostgreSQL address"),
    ],
)
def test_a_wrong_database_url(url, part):
    with pytest.raises(problems.SetupProblem) as raised:
        addresses.check_database(url)

    assert part in str(raised.value)
    assert "unset DATABASE_URL" in str(raised.value)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ('FATAL:  password authentication failed for user "shop"', "refused the password of shop"),
        ('FATAL:  database "vouchers" does not exist', "has no database vouchers"),
        ('FATAL:  role "shop" does not exist', "knows no user shop"),
    ],
)
def test_what_postgresql_says_becomes_a_sentence(said, part):
    given = {"host": "db", "user": "shop", "dbname": "vouchers", "password": "sesame"}
    sentence = addresses._why(given, said)

    assert part in sentence
    assert "unset DATABASE_URL" in sentence
    assert "sesame" not in sentence


@pytest.mark.parametrize("url", ["redis://:sesame@127.0.0.1:1/0", "http://127.0.0.1"])
def test_a_wrong_redis_url(url):
    with pytest.raises(problems.SetupProblem, match="unset REDIS_URL") as raised:
        addresses.check_redis(url)
    assert "sesame" not in str(raised.value)


def test_a_port_in_use_names_the_variable_to_set():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = ports.Ports(ports.free_ports(1)[0], taken.getsockname()[1], 0)
        with pytest.raises(problems.SetupProblem, match=r"BDV_SIMULATORS_PORT=\d+ \./run"):
            wanted.check()


def test_a_port_that_is_none(monkeypatch):
    monkeypatch.setenv("BDV_WEB_PORT", "eighty")
    with pytest.raises(problems.SetupProblem, match="BDV_WEB_PORT=eighty is not a port"):
        ports.Ports.wanted()


def test_a_second_run_in_the_same_folder(tmp_path):
    with (
        up.only_one(tmp_path),
        pytest.raises(problems.SetupProblem, match=f"process {os.getpid()}"),
        up.only_one(tmp_path),
    ):
        pass
    with up.only_one(tmp_path):
        pass  # free again


def test_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "NEEDED_BYTES", 10**18)
    with pytest.raises(problems.SetupProblem, match="BDV_LOCAL_DIR"):
        places.prepare(tmp_path / "local")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses(number):
    sentence = str(problems.explain(OSError(number, os.strerror(number), "/shop/.local")))
    assert "/shop/.local" in sentence
    assert "BDV_LOCAL_DIR" in sentence


def test_guarded_work_ends_with_one_sentence_and_exit_1(capsys):
    def work():
        raise problems.SetupProblem("Port 8000 is in use.")

    with pytest.raises(SystemExit) as ended:
        up.guarded(work)
    assert ended.value.code == 1
    assert capsys.readouterr().err.strip() == "Port 8000 is in use."
