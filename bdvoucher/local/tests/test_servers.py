"""The servers themselves: found again after a `kill -9`, adopted, private, gone at the end."""

import os
import signal

import psycopg
import pytest
import redis

from bdvoucher.local import accounts, places, processes
from bdvoucher.local.postgres import Postgres, without_postgres_variables
from bdvoucher.local.servers import local_servers
from bdvoucher.local.valkey import ONCE, Valkey


@pytest.fixture
def folder():
    with places.temporary() as made:
        yield made


@pytest.fixture
def postgres(folder):
    server = Postgres(folder, folder / "postgres.log", throwaway=True)
    server.start()
    yield server
    server.stop()


def ask(server, question):
    with psycopg.connect(server.url()) as connection:
        return connection.execute(question).fetchone()[0]


def test_a_server_that_runs_already_is_adopted(postgres, folder):
    second = Postgres(folder, folder / "postgres.log", throwaway=True).start()

    assert second.adopted
    assert second.pid == postgres.pid
    assert ask(second, "SHOW listen_addresses") == ""


def test_what_a_kill_9_left_does_not_hinder_the_next_start(postgres, folder):
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("CHECKPOINT")
    os.kill(postgres.pid, signal.SIGKILL)
    postgres._process.wait()
    # Meanwhile the number in the pid file belongs to somebody else: to us.
    pid_file = next(folder.glob("postgres-*")) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    again = Postgres(folder, folder / "postgres.log", throwaway=True).start()
    try:
        assert not again.adopted
        assert ask(again, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="others run PostgreSQL as themselves")
def test_where_nobody_reaches_the_project_both_binaries_and_data_move(folder, monkeypatch):
    shelters = folder / "shelters"
    shelters.mkdir()
    may_work = accounts._may_work

    def only_in_the_shelter(account, binaries, data):
        return data.is_relative_to(shelters) and may_work(account, binaries, data)

    monkeypatch.setattr(accounts, "SHELTERS", shelters)
    monkeypatch.setattr(accounts, "_may_work", only_in_the_shelter)
    server = Postgres(folder / "unreachable", folder / "postgres.log", throwaway=True)
    server.folder.mkdir()
    server.start()
    try:
        assert ask(server, "SELECT 1") == 1
        assert processes.command_line_of(server.pid).startswith(str(shelters))
        assert Postgres(server.folder, folder / "postgres.log").find()
    finally:
        server.stop()


def test_the_socket_is_open_to_its_user_alone(postgres):
    assert postgres.socket.stat().st_mode & 0o077 == 0
    assert len(str(postgres.socket / ".s.PGSQL.5432")) < 100


def test_a_valkey_that_runs_is_adopted_and_asks_for_its_password(folder):
    first = Valkey(folder / "valkey", folder / "valkey.log", throwaway=True).start()
    try:
        second = Valkey(folder / "valkey", folder / "valkey.log", throwaway=True).start()
        assert (second.adopted, second.pid, second.url()) == (True, first.pid, first.url())
        with (
            redis.Redis(host="127.0.0.1", port=first.port, retry=ONCE) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        assert (folder / "valkey" / "valkey.conf").stat().st_mode & 0o777 == 0o600
    finally:
        first.stop()


def test_fresh_servers_leave_no_process_and_no_folder():
    with local_servers(fresh=True) as servers:
        pids = [servers.postgres.pid, servers.valkey.pid]
        used = servers.postgres.folder
        assert set(servers.env) == {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
        assert all(map(processes.alive, pids))

    assert not any(map(processes.alive, pids))
    assert not used.exists()


def test_the_folder_of_a_killed_process_is_swept():
    left = places.new_temporary()
    places.mark_owner(left, 2**22 + 1)  # above the highest process id

    places.sweep_leftovers()

    assert not left.exists()


def test_an_installed_server_is_not_used_by_accident():
    said = {"PGHOST": "elsewhere", "PGPASSWORD": "x", "PGBIN": "/opt/pg/bin", "PATH": "/bin"}
    assert without_postgres_variables(said) == {"PGBIN": "/opt/pg/bin", "PATH": "/bin"}
