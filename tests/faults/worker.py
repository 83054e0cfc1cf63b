"""A worker's process, seen from outside: started, killed, stopped, held, and what it said."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.faults.waiting import until
from tests.patience import BUSY, PATIENCE_S

ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL
#: From the call to a process that can be killed at its work.
START_S = PATIENCE_S
#: A stop in order, under load as well.
STOP_S = 6 * BUSY
#: A process that is asked what it does tells that within this time, or hangs.
_TELLS_S = 2.0


class Worker:
    """Its tables and its options stay when it is started again."""

    #: The event from which on it ends in order when it is told to.
    RUNS: ClassVar = "worker_starts"

    def __init__(
        self, name: str, folder: Path, url: str, options: Sequence[str] = (), *, tables: Path | None
    ) -> None:
        self.name = name
        self.tables = tables or folder / f"{name}-tables"
        self._said = folder / f"{name}.log"
        self._arguments = [url, str(self.tables), *options]
        #: The module that its processes run.
        self.program = "tests.faults.victim"
        #: As the tests have it, where nothing else is said.
        self.environment: Mapping[str, str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        #: The bytes that earlier processes said.
        self._before = 0

    def start(self) -> None:
        assert not self.running
        self._before = self._said.stat().st_size if self._said.exists() else 0
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", self.program, *self._arguments]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def hold(self) -> None:
        """It does nothing any more, and does not know."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    async def stop(self) -> float:
        """In order; how many seconds it took. Raises AssertionError when it was no orderly end."""
        await self.told(self.RUNS)
        self._signal(signal.SIGTERM)
        took_s = await until(lambda: not self.running, STOP_S, f"the end of {self.name}")
        assert self.exit_code == 0, self.said()
        return took_s

    async def told(self, event: str, count: int = 1, patience_s: float = START_S) -> dict[str, Any]:
        """The fields of the `count`th such event of the process, once it was told."""

        def known() -> bool:
            self.check()
            return len(self.events(event)) >= count

        await until(known, patience_s, f"{self.name} to tell {event}")
        return self.events(event)[count - 1]

    def events(self, event: str, *, ever: bool = False) -> list[dict[str, Any]]:
        """The fields of all such events of the process that was started last, or of all."""
        lines = self._lines(0 if ever else self._before)
        found = (json.loads(line) for line in lines if line.startswith("{"))
        return [told["fields"] for told in found if told["event"] == event]

    def assignments(self) -> list[set[int]]:
        """The tasks that it was given, each time the group has handed out."""
        return [set(told["active"]) for told in self.events("tasks_assigned")]

    def check(self) -> None:
        """Raises AssertionError when it has ended by itself."""
        assert self.exit_code in (None, 0, KILLED), f"{self.name} ended:\n{self.said()}"

    def said(self) -> str:
        """The last of what it said."""
        return "\n".join(self._lines(self._before)[-40:])

    def doing(self) -> str:
        """What it waits for at this moment, as far as it still tells."""
        if not self.running:
            return f"an end with {self.exit_code}"
        before = len(self._lines(self._before))
        self._signal(signal.SIGUSR1)
        time.sleep(_TELLS_S)
        return "\n".join(self._lines(self._before)[before:])

    def end(self) -> None:
        """Whatever it does."""
        if self.running:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self.running, f"{self.name} ended:\n{self.said()}"
        os.kill(self._process.pid, number)

    def _lines(self, start: int) -> list[str]:
        """Whole lines only: the process may be writing."""
        if not self._said.exists():
            return []
        with self._said.open("rb") as said:
            said.seek(start)
            return said.read().decode(errors="replace").split("\n")[:-1]
