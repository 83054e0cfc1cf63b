"""What the work on channels shares while one connection lasts."""

from collections.abc import Callable

import msgspec

from streams.clock import Clock
from streams.events import ChannelStatus
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.sources.cursors import Cursor, Cursors
from streams.sources.telegram.calls import Calls
from streams.sources.telegram.channel import FollowedChannel, Following
from streams.sources.telegram.settings import CollectorSettings


class Pace:
    """Hands out turns, at least a pause apart."""

    def __init__(self, pause_ms: int) -> None:
        self._pause_ms = pause_ms
        self._last_ms = 0

    def next_turn_ms(self, now_ms: int) -> int:
        self._last_ms = max(self._last_ms, now_ms) + self._pause_ms
        return self._last_ms


class Connection:
    def __init__(
        self,
        calls: Calls,
        publisher: Publisher,
        cursors: Cursors,
        clock: Clock,
        metrics: Metrics,
        settings: CollectorSettings,
        following: Following,
        works: Callable[[], None],
    ) -> None:
        self.calls = calls
        self.publisher = publisher
        self.cursors = cursors
        self.clock = clock
        self.metrics = metrics
        self.settings = settings
        self.following = following
        #: Called when the connection has proved good: an outage, if there was one, is over.
        self.works = works
        self.backfill_pace = Pace(settings.backfill_pause_ms)
        #: Access hashes of the channels among the account's dialogs.
        self.access_hashes: dict[int, int] = {}

    async def put_cursor(self, channel: FollowedChannel, cursor: Cursor) -> None:
        """Store how far a channel was read, after the log has it."""
        cursor = msgspec.structs.replace(cursor, recent=channel.remembered())
        await self.cursors.put_cursor(cursor)
        channel.cursor = cursor


async def publish_status(
    channel: FollowedChannel,
    publisher: Publisher,
    now_ms: int,
    status: str,
    reason: str = "",
    until_ms: int | None = None,
) -> None:
    """Say how a channel is, where that is news."""
    if channel.channel_id is None or channel.status == (status, reason):
        return
    channel.status = (status, reason)
    await publisher.publish(
        ChannelStatus(
            channel_id=channel.channel_id,
            observed_at_ms=now_ms,
            source=channel.source,
            status=status,
            reason=reason,
            until_ms=until_ms,
        )
    )
