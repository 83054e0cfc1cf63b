"""One connection through the proxy: two ways, each with what is still under way on it."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

#: What is taken at once of one side.
READ_BYTES = 64 << 10
#: What may be under way, in chunks of one direction; then nothing more is taken.
_UNDER_WAY = 64
#: A close by which the other side sees a reset.
_NO_LINGER = struct.pack("ii", 1, 0)


#: Of a request, by how it begins.
Asked = Callable[[bytes], bool]


def whatever(_: bytes) -> bool:
    return True


class Loss(NamedTuple):
    """Of answers that do not arrive whole."""

    times: int = 0
    after_bytes: int = 0
    #: Only answers to such requests.
    asked: Asked = whatever


class Link:
    """What the network is like at the moment; all connections share it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._delay_s = 0.0
        self._jitter_s = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._loss = Loss()
        #: How many answers did not arrive whole.
        self.lost = 0

    def slow_down(self, delay_s: float, jitter_s: float) -> None:
        self._delay_s, self._jitter_s = delay_s, jitter_s

    def hold(self) -> None:
        self._open.clear()

    def lose(self, loss: Loss) -> None:
        self._loss = loss

    def mend(self) -> None:
        self.slow_down(0, 0)
        self.lose(Loss())
        self._open.set()

    def delay_s(self) -> float:
        """Of what sets out now."""
        return self._delay_s + self._jitter_s * self._chance.random()

    async def passable(self) -> None:
        await self._open.wait()

    def loses(self, request: bytes) -> int | None:
        """After how many bytes the answer to a request is lost; None: it is not."""
        times, after_bytes, asked = self._loss
        if not times or not asked(request):
            return None
        self._loss = self._loss._replace(times=times - 1)
        self.lost += 1
        return after_bytes


class End(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reset(self) -> None:
        """The other side sees a reset, whatever is under way."""
        own: socket.socket | None = self.writer.get_extra_info("socket")
        if own is not None and own.fileno() >= 0:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.writer.transport.abort()


class Passage:
    """Between a client and the target, until both have ended, or one of them was reset."""

    def __init__(self, link: Link, client: End, target: End) -> None:
        self._link = link
        self._ends = (client, target)
        self._requests = _Way(link, client.reader, target.writer, self._ask)
        self._answers = _Way(link, target.reader, client.writer, self._answer)
        #: The beginning of what was sent since the last answer; None once that has begun.
        self._request: bytes | None = None
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        self._running = asyncio.current_task()
        works = [way.take() for way in (self._requests, self._answers)]
        works += [way.give() for way in (self._requests, self._answers)]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(*tasks)
        finally:
            # First of all: a second reset may come while the tasks end.
            for end in self._ends:
                end.reset()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def reset(self) -> None:
        if self._running is not None:
            self._running.cancel()

    def end_answers(self) -> None:
        self._answers.end()

    def _ask(self, chunk: bytes) -> None:
        if self._request is None:
            self._request = chunk

    def _answer(self, _: bytes) -> int | None:
        request, self._request = self._request, None
        return None if request is None else self._link.loses(request)


class _Way:
    """One direction. What arrives is given on in its order, each chunk when it is due."""

    def __init__(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passing: Callable[[bytes], int | None],
    ) -> None:
        """`passing` sees each chunk, and tells after how much of it the way ends, if it does."""
        self._link = link
        self._reader = reader
        self._writer = writer
        self._passing = passing
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)
        self._ended = False

    def end(self) -> None:
        """What comes from now on arrives nowhere."""
        if not self._ended:
            self._ended = True
            with suppress(OSError):
                self._writer.write_eof()

    async def take(self) -> None:
        """Returns at the end of the stream. Raises OSError when it was reset."""
        due_s = 0.0
        chunk = b"-"
        while chunk:
            chunk = await self._reader.read(READ_BYTES)
            now_s = asyncio.get_running_loop().time()
            due_s = max(due_s, now_s + self._link.delay_s())
            await self._under_way.put((due_s, chunk))

    async def give(self) -> None:
        """Returns when all was given on. Raises OSError when the other side was reset."""
        while True:
            due_s, chunk = await self._under_way.get()
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())
            await self._link.passable()
            if not chunk:
                break
            await self._write(chunk)
        self.end()

    async def _write(self, chunk: bytes) -> None:
        most = self._passing(chunk)
        if not self._ended:
            self._writer.write(chunk[:most])
            await self._writer.drain()
        if most is not None:
            self.end()
