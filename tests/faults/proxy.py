"""A network that can be bad: stands between clients and one port of 127.0.0.1.

In a thread of its own, so that it goes on whatever the test's event loop does. Every method
returns when what it says has taken effect. Nothing of a stream is ever lost or reordered while
its connection lives, as TCP has it: what is held back comes later, or never.
"""

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from tests.faults.passage import READ_BYTES, Asked, End, Link, Loss, Passage, whatever


class Proxy:
    """Made, then `start`, and at last `close`; or by `with`, which does both."""

    def __init__(self, target: int, port: int = 0, *, seed: int = 0) -> None:
        """`port` 0 takes a free one; `seed` is of the jitter."""
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self._link = Link(random.Random(seed))
        self._passages: set[Passage] = set()
        self._refuses = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)
        #: How many connections were made through it.
        self.connections = 0

    # -- faults

    def delay(self, delay_s: float, jitter_s: float = 0.0) -> None:
        """Each way takes `delay_s` from now on, and up to `jitter_s` more."""
        self._do(lambda: self._link.slow_down(delay_s, jitter_s))

    def cut(self) -> None:
        """Reset every connection, once; whoever connects anew gets through."""
        self._do(self._reset_all)

    def go_away(self) -> None:
        """Reset every connection, and whatever connects, until `resume`."""
        self._do(self._refuse)

    def black_hole(self) -> None:
        """Accept, and forward nothing, until `resume`; then what was held goes on its way."""
        self._do(self._link.hold)

    def half_close(self) -> None:
        """Tell the clients that no more comes, once; what they send still arrives."""
        self._do(self._end_answers)

    def lose_answers(
        self, count: int = 1, *, after_bytes: int = 0, asked: Asked = whatever
    ) -> None:
        """Of the next `count` answers let so many bytes through, then close; requests arrive whole.

        An answer is whatever the target sends first after something was sent to it; only such
        answers count of which `asked` finds the request.
        """
        self._do(lambda: self._link.lose(Loss(count, after_bytes, asked)))

    def resume(self) -> None:
        """As before any fault."""
        self._do(self._as_before)

    @property
    def lost(self) -> int:
        """How many answers were lost."""
        return self._link.lost

    # -- life

    def start(self) -> None:
        self._thread.start()
        self._await(self._open())

    def close(self) -> None:
        """Resets what is connected."""
        if self._thread.is_alive():
            self._await(self._shut())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._listening.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- in the thread

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(
            self._connected, sock=self._listening, limit=READ_BYTES
        )

    async def _shut(self) -> None:
        self._server.close()
        self._refuse()
        # What is accepted at this moment is a task only in the loop's next turn.
        await asyncio.sleep(0)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = End(reader, writer)
        target = None if self._refuses else await self._reached()
        if target is None:
            client.reset()
            return
        self.connections += 1
        passage = Passage(self._link, client, target)
        self._passages.add(passage)
        try:
            await passage.run()
        finally:
            self._passages.discard(passage)

    async def _reached(self) -> End | None:
        """The target; None when it is away, or the proxy has begun to refuse."""
        try:
            target = End(
                *await asyncio.open_connection("127.0.0.1", self._target, limit=READ_BYTES)
            )
        except OSError:
            return None
        if self._refuses:
            target.reset()
            return None
        return target

    def _reset_all(self) -> None:
        for passage in self._passages:
            passage.reset()

    def _end_answers(self) -> None:
        for passage in self._passages:
            passage.end_answers()

    def _refuse(self) -> None:
        self._refuses = True
        self._reset_all()

    def _as_before(self) -> None:
        self._refuses = False
        self._link.mend()

    # -- from outside

    def _do(self, work: Callable[[], None]) -> None:
        async def done() -> None:
            work()

        self._await(done())

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
