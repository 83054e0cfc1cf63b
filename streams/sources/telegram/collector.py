"""One Telegram account that observes channels: connects, follows, and connects again.

Not for what is done on a channel (follower) and not for where Telegram is (the client's session).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from telethon import errors

from streams.clock import Clock
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.sources.cursors import Cursors, CursorsUnavailable, Followed
from streams.sources.telegram.calls import Calls, Holds
from streams.sources.telegram.channel import FollowedChannel, Following
from streams.sources.telegram.client import (
    AWAY,
    CLOSE_S,
    FATAL,
    AccountLost,
    CollectorClient,
    ConnectionLost,
    connection_error,
)
from streams.sources.telegram.connection import Connection, publish_status
from streams.sources.telegram.follower import Follower
from streams.sources.telegram.pushes import Pushes
from streams.sources.telegram.settings import CollectorSettings

logger = logging.getLogger(__name__)

_Retried = ConnectionLost | CursorsUnavailable


class Collector:
    """`make_client` gives a new client for each connection, all on one authorised session."""

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
        self._clock = clock
        self._metrics = metrics
        self._settings = settings or CollectorSettings()
        self._following = Following(self._settings)
        self._holds = Holds()
        self._pauses = Pauses(self._settings.first_pause_s, self._settings.longest_pause_s)
        self._pushes = Pushes(
            self._following, publisher, clock, metrics, self._settings.most_pushes
        )
        #: What is away, as told in the log; empty while nothing is.
        self._away = ""
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether Telegram has accepted the session and the connection lasts."""
        return self._group is not None

    @property
    def away(self) -> str:
        """What is away and waited for; empty while nothing is."""
        return self._away

    async def run(self) -> None:
        """Observe until cancelled; what is away is tried again for ever, with growing pauses.

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
        """From now on. Nothing happens where the channel is followed already."""
        channel = self._following.add(followed)
        if channel is not None and self._group is not None:
            self._start(channel)

    async def unfollow(self, reference: str) -> None:
        """The channel stays joined; nothing more of it is published."""
        self._following.remove(reference)
        if task := self._followers.pop(reference, None):
            task.cancel()
            await asyncio.wait([task])

    async def _connected(self) -> None:
        """One connection from its start to its end, which is always an exception."""
        for followed in await self._cursors.followed():
            self._following.add(followed)
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
        """Connect and learn where the updates of the joined channels stand."""
        settings = self._settings
        calls = Calls(
            client,
            self._clock,
            self._metrics,
            self._holds,
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
            self._end_outage,
        )
        try:
            async with asyncio.timeout(settings.call_timeout_s):
                await client.connect()
                self._pushes.attach(client)
                async for dialog in client.iter_dialogs():
                    if (access_hash := getattr(dialog.entity, "access_hash", None)) is not None:
                        connection.access_hashes[dialog.entity.id] = access_hash
        except (*FATAL, *AWAY) as error:
            raise connection_error(error) from error
        except errors.RPCError as error:
            raise ConnectionLost(str(error)) from error
        return connection

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
        """Say once an outage what is away, and pause."""
        self._metrics.error("collector", type(cause).__name__)
        if not self._away:
            self._away = "telegram" if isinstance(cause, ConnectionLost) else "control"
            fields = {"away": self._away, "reason": str(cause)}
            logger.warning("collector_waits", extra=fields)
        await self._tell_away(str(cause))
        await self._pauses.pause()

    def _end_outage(self) -> None:
        if self._away:
            logger.warning("collector_goes_on", extra={"back": self._away})
            self._away = ""
        self._pauses.reset()

    async def _tell_away(self, reason: str, *, anew: bool = False) -> None:
        """Once an outage, whatever its further reasons; `anew` also where one is under way."""
        for channel in self._following:
            channel.missed = True
            if anew or channel.status is None or channel.status[0] != "away":
                await publish_status(channel, self._publisher, self._clock.now_ms(), "away", reason)


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
