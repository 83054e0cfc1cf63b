"""A PostgreSQL server of our own: it can be stopped, killed and started again at its port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Literal, Self
from uuid import uuid4

import pytest

from tests.kafka.ports import free_ports

REQUIRED = "ANALYTICBOT_REQUIRE_POSTGRES"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

#: fast: in order, with its clients cut off; immediate: as after a crash.
How = Literal["fast", "immediate"]


class Postgres:
    """Made where PROGRAMS is not empty; started by `with`, which also deletes what it stored."""

    def __init__(self) -> None:
        self._programs = PROGRAMS[-1]
        self._folder = Path(mkdtemp(prefix="analyticbot-postgres-"))
        [self.port] = free_ports(1)
        # It refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        #: Without the database.
        self.url = f"postgresql://test@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when clients can connect."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self._folder} -c fsync=off"
        log = str(self._folder / "server.log")
        self._run("pg_ctl", "--wait", "-o", options, "-l", log, "start")

    def stop(self, how: How = "fast") -> None:
        self._run("pg_ctl", "--wait", "-m", how, "stop")

    async def database(self) -> str:
        """The URL of a new, empty one."""
        return await new_database(self.url)

    def __enter__(self) -> Self:
        if self._user:
            shutil.chown(self._folder, self._user)
        try:
            self._run("initdb", "--auth=trust", "--username=test", "--no-sync")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if (self._folder / "data" / "postmaster.pid").exists():
                self.stop("immediate")
        finally:
            shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        folder = self._folder
        subprocess.run(command, user=self._user, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def started() -> Iterator[Postgres]:
    """For a fixture: it is gone afterwards; where there is no server to start, the test skips."""
    if not PROGRAMS:
        reason = "no PostgreSQL server on this machine"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{reason}, and {REQUIRED}=1")
        pytest.skip(reason)
    with Postgres() as postgres:
        yield postgres


async def new_database(server: str) -> str:
    """The URL of a new, empty database on a server."""
    import asyncpg  # type: ignore[import-not-found, import-untyped, unused-ignore]

    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{server}/{name}"
