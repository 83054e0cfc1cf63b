"""The same laws on PostgreSQL: at ANALYTICBOT_TEST_POSTGRES, or on a private server made here."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest

from control.sql import open_control
from control.store import ControlError, ControlStore, ControlUnavailable
from tests.laws.control import DurableControlLaws, Opener

VARIABLE = "ANALYTICBOT_TEST_POSTGRES"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server on which tests may make databases, without the database."""
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    if given := os.environ.get(VARIABLE):
        yield given.rstrip("/")
    elif not PROGRAMS:
        pytest.skip(f"no PostgreSQL server on this machine and {VARIABLE} is not set")
    else:
        yield from _private_server(PROGRAMS[-1])


def _private_server(programs: Path) -> Iterator[str]:
    """PostgreSQL refuses to run as root; it then runs as `postgres`."""
    folder = Path(mkdtemp(prefix="analyticbot-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        if user:
            shutil.chown(folder, user)
        run("initdb", "--auth=trust", "--username=test", "--no-sync")
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        run("pg_ctl", "--wait", "-o", options, "-l", str(folder / "server.log"), "start")
        try:
            yield f"postgresql://test@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "--wait", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def _database(server: str) -> str:
    """The URL of a new, empty database."""
    import asyncpg  # type: ignore[import-not-found, import-untyped, unused-ignore]

    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{server}/{name}"


class TestPostgres(DurableControlLaws):
    @pytest.fixture
    async def opener(self, server: str) -> Opener:
        url = await _database(server)

        async def open_() -> ControlStore:
            store = open_control(url)
            await store.migrate()
            return store

        return open_

    async def test_a_database_that_does_not_exist(self, server: str) -> None:
        store = open_control(f"{server}/nowhere")
        with pytest.raises(ControlUnavailable, match='"nowhere" does not exist'):
            await store.migrate()
        await store.close()


async def test_a_server_that_is_away_is_named_without_the_password() -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    store = open_control(f"postgresql://me:secret@127.0.0.1:{_free_port()}/control")
    with pytest.raises(ControlUnavailable, match=r"me@127\.0\.0\.1") as raised:
        await store.followed()
    assert "secret" not in str(raised.value)
    await store.close()


def test_a_missing_host_is_refused() -> None:
    pytest.importorskip("asyncpg", reason="asyncpg is not installed (extra: cluster)")
    with pytest.raises(ControlError, match="names no host"):
        open_control("postgresql:///control")
