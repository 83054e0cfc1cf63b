"""A role as a process of its own, seen from outside: what it answers over HTTP, and how it ends."""

import asyncio
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.patience import BUSY, PATIENCE_S

#: From a signal to the end of a process, at most.
STOP_S = 6 * BUSY
#: So that who waits leaves the machine to those whom it waits for.
POLL_S = 0.1


class Role:
    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=PATIENCE_S)

    @classmethod
    async def started(
        cls, command: Sequence[str], variables: Mapping[str, str], log: Path, umask: int = -1
    ) -> Self:
        """Returns when it has said where it answers. `umask` -1: that of the tests."""
        with log.open("ab") as said:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=dict(variables),
                stdout=asyncio.subprocess.PIPE,
                stderr=said,
                umask=umask,
            )
        assert process.stdout is not None
        async for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line.decode()):
                return cls(process, found[0])
        raise AssertionError(f"it ended before it ran: see {log}")

    async def parts(self) -> tuple[int, dict[str, str]]:
        """Of /readyz: its status, and what each part says."""
        answer = await self.http.get("/readyz")
        return answer.status_code, answer.json()["parts"]

    async def ready(self) -> None:
        while (await self.parts())[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)

    async def says(self, part: str, *words: str) -> None:
        """Wait until the part says all that."""
        while not await self._says(part, words):  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)

    async def _says(self, part: str, words: Sequence[str]) -> bool:
        _, parts = await self.parts()
        return all(word in parts.get(part, "") for word in words)

    async def data(self, path: str) -> Any:
        """None where it is not known yet."""
        answer = await self.http.get(path)
        return answer.json()["data"] if answer.status_code == 200 else None

    def freeze(self) -> None:
        """It stands still: as under Ctrl-Z, `docker pause`, or on a machine that is suspended."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> float:
        """In order; how many seconds it took."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> float:
        await self.http.aclose()
        began_s = time.monotonic()
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self.process.wait()
        return time.monotonic() - began_s
