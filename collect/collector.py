"""One Telegram account that observes channels: connects, follows, reconnects.

Not for the work on a channel (follower) or Telegram's address (the client's session).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from telethon import errors
from telethon.tl import functions

from collect.calls import Calls
from collect.channel import FollowedChannel, Following
from collect.client import (
    AWAY,
    CLOSE_S,
    FATAL,
    FLOODS,
    AccountLost,
    CollectorClient,
    ConnectionLost,
    connection_error,
)
from collect.connection import Connection, tell_standing
from collect.dialogs import Dialogs
from collect.follower import Follower
from collect.pushes import Pushes
from collect.settings import CollectorSettings
from collect.waits import CONNECTING, FloodWaits
from streams.clock import Clock, CorrectedClock
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.retry import Retry, Transient
from streams.sources.cursors import Cursors, CursorsUnavailable, Followed, Standing

logger = logging.getLogger(__name__)

#: A larger error of the machine's clock is logged.
CLOCK_OFF_MS = 30_000

TRANSIENT: Transient = {ConnectionLost: "telegram", CursorsUnavailable: "control"}
_Retried = ConnectionLost | CursorsUnavailable


class Collector:
    """`make_client` makes a client per connection, all on one authorised session.

    If `clock` can be corrected, Telegram's time corrects it: events are dated by Telegram's clock,
    like posts. Any other clock stays unchanged, and is corrected only in here.
    """

    def __init__(
        self,
        make_client: Callable[[], CollectorClient],
        publisher: Publisher,
        cursors: Cursors,
        clock: Clock,
        metrics: Metrics,
        settings: CollectorSettings | None = None,
    ) -> None:
        self._make_client = make_client
        self._publisher = publisher
        self._cursors = cursors
        self._clock = clock if isinstance(clock, CorrectedClock) else CorrectedClock(clock)
        self._metrics = metrics
        self._settings = settings or CollectorSettings()
        self._following = Following(self._settings)
        self._waits = FloodWaits(cursors)
        self._dialogs = Dialogs()
        pauses = Pauses(self._settings.first_pause_s, self._settings.longest_pause_s)
        self._retry = Retry(TRANSIENT, logger, pauses, count=(metrics, "collector"))
        self._pushes = Pushes(
            self._following, publisher, self._clock, metrics, self._settings.most_pushes
        )
        self._clock_told = False
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether Telegram has accepted the session and the connection is up."""
        return self._group is not None

    @property
    def away(self) -> str:
        """What is unavailable; empty without an outage."""
        return self._retry.what or ""

    async def run(self) -> None:
        """Observe until cancelled; retries outages without end, with growing pauses.

        Raises AccountLost when Telegram no longer accepts the session, and LogError.
        """
        while True:
            try:
                await _unforgotten(self._connected())
            except ExceptionGroup as group:
                cause = _cause(group)
            except (AccountLost, ConnectionLost, CursorsUnavailable) as error:
                cause = error
            if isinstance(cause, AccountLost):
                await self._tell_away(cause.reason, anew=True)
                self._metrics.error("collector", "account_lost")
                raise cause
            if not isinstance(cause, _Retried):
                raise cause
            await self._wait(cause)

    async def follow(self, followed: Followed) -> None:
        """Follow a channel from now on. No effect if it is followed already."""
        channel = self._following.add(followed)
        if channel is not None and self._group is not None:
            self._start(channel)

    async def unfollow(self, reference: str) -> None:
        """Stop publishing the channel; it stays joined."""
        self._following.remove(reference)
        if task := self._followers.pop(reference, None):
            task.cancel()
            await asyncio.wait([task])

    async def _connected(self) -> None:
        """One connection from its start to its end, which is always an exception."""
        for followed in await self._cursors.followed():
            self._following.add(followed)
        await self._keep_waiting()
        client = self._make_client()
        try:
            self._connection = await self._connect(client)
            if not len(self._following):
                self._end_outage()
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(_watch(client))
                self._group.create_task(self._pushes.run())
                for channel in self._following:
                    self._start(channel)
        finally:
            self._group = None
            self._followers.clear()
            await client.close()

    async def _connect(self, client: CollectorClient) -> Connection:
        """Connects, and corrects the clock."""
        settings = self._settings
        calls = Calls(
            client,
            self._clock,
            self._metrics,
            self._waits,
            most=settings.most_calls,
            timeout_s=settings.call_timeout_s,
        )
        connection = Connection(
            calls,
            self._publisher,
            self._cursors,
            self._clock,
            self._metrics,
            settings,
            self._following,
            self._dialogs,
            self._end_outage,
        )
        try:
            with client.timed(self._clock):
                async with asyncio.timeout(settings.call_timeout_s):
                    await client.connect()
                    # Connecting alone succeeds with a session that was revoked.
                    await client(functions.updates.GetStateRequest())
        except FLOODS as error:
            now_ms = self._clock.now_ms()
            until_ms = now_ms + max(error.seconds, 1) * 1000
            self._metrics.error("collector", "flood_wait")
            await self._waits.put(CONNECTING, None, until_ms, now_ms)
            raise ConnectionLost(f"FLOOD_WAIT {CONNECTING}", until_ms) from error
        except (*FATAL, *AWAY) as error:
            raise connection_error(error) from error
        except errors.RPCError as error:
            raise ConnectionLost(str(error)) from error
        self._pushes.attach(client)
        self._tell_clock()
        return connection

    async def _keep_waiting(self) -> None:
        """Raises ConnectionLost while Telegram refuses to be connected to, as told before."""
        await self._waits.load()
        until_ms = self._waits.until_ms(CONNECTING, None)
        if until_ms > self._clock.now_ms():
            raise ConnectionLost(f"FLOOD_WAIT {CONNECTING}", until_ms)

    def _tell_clock(self) -> None:
        """Log it once per process: figures are right all the same, times of log lines are not."""
        off_ms = self._clock.offset_ms
        if abs(off_ms) > CLOCK_OFF_MS and not self._clock_told:
            self._clock_told = True
            says = "behind" if off_ms > 0 else "ahead of"
            fields = {"off_s": abs(off_ms) // 1000, "says": f"{says} Telegram's"}
            logger.warning("clock_is_off", extra=fields)

    def _start(self, channel: FollowedChannel) -> None:
        """On this connection; where it is ending already, the next one starts the channel."""
        assert self._group is not None
        assert self._connection is not None
        work = Follower(channel, self._connection).run()
        try:
            self._followers[channel.reference] = self._group.create_task(work)
        except RuntimeError:  # a group takes nothing more once a task of it has failed
            work.close()

    async def _wait(self, cause: ConnectionLost | CursorsUnavailable) -> None:
        self._retry.note(cause)
        until_ms = getattr(cause, "until_ms", None)
        await self._tell_away(str(cause), until_ms=until_ms)
        if until_ms is None:
            await self._retry.pause()
        else:
            await self._clock.sleep_ms(until_ms - self._clock.now_ms())

    def _end_outage(self) -> None:
        self._retry.succeeded()

    async def _tell_away(
        self, reason: str, *, anew: bool = False, until_ms: int | None = None
    ) -> None:
        """Once an outage, whatever its further reasons; `anew` also where one is under way."""
        status = "away" if until_ms is None else "waiting"
        now_ms = self._clock.now_ms()
        for channel in self._following:
            channel.miss(much=True)
            if channel.name_until_ms > now_ms:  # it leads nowhere, whoever is away
                continue
            if anew or channel.standing is None or channel.standing.status != status:
                standing = Standing(status, reason, until_ms, now_ms)
                # Told to the log; the store is told with the next status where it is away too.
                with suppress(CursorsUnavailable):
                    await tell_standing(channel, self._publisher, self._cursors, standing)


async def _unforgotten(connection: Coroutine[Any, Any, None]) -> None:
    """What the connection raises; where this is cancelled, that, whatever it raised then.

    Before Python 3.13 a task group that is cancelled while a task of it fails raises the failure
    only: the collector would connect again, and nobody would stop it.
    """
    connected = asyncio.create_task(connection)
    # looked at even where this is cancelled, or asyncio complains
    connected.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        await asyncio.wait({connected})
    except asyncio.CancelledError:
        while not connected.done():
            # Again, because asyncio.wait_for, by which Telethon connects, may lose it.
            connected.cancel()
            await asyncio.wait({connected}, timeout=CLOSE_S)
        raise
    await connected


async def _watch(client: CollectorClient) -> None:
    """Raises what the connection ended with."""
    ended = client.disconnected
    # looked at even where this is cancelled first, or asyncio complains
    ended.add_done_callback(lambda future: future.cancelled() or future.exception())
    await asyncio.wait([ended])
    error: Any = client._updates_error or ended.exception()
    raise connection_error(error)


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """What ended a connection: the gravest of what its tasks raised."""
    leaves = list(_leaves(group))
    for grave in leaves:
        if not isinstance(grave, _Retried | AccountLost):
            return grave
    lost = [error for error in leaves if isinstance(error, AccountLost)]
    return lost[0] if lost else leaves[0]


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return found
