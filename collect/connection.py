"""The parts that the work on channels shares while one connection lasts."""

from collections.abc import Callable

import msgspec

from collect.calls import Calls
from collect.channel import FollowedChannel, Following
from collect.dialogs import Dialogs
from collect.settings import CollectorSettings
from streams.clock import CorrectedClock
from streams.events import ChannelStatus
from streams.metrics import Metrics
from streams.publisher import Publisher
from streams.sources.cursors import Cursor, Cursors, Standing


class Pace:
    """Spaces calls at least a pause apart."""

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
        clock: CorrectedClock,
        metrics: Metrics,
        settings: CollectorSettings,
        following: Following,
        dialogs: Dialogs,
        works: Callable[[], None],
    ) -> None:
        self.calls = calls
        self.publisher = publisher
        self.cursors = cursors
        self.clock = clock
        self.metrics = metrics
        self.settings = settings
        self.following = following
        #: Called when the connection has worked: an outage, if there was one, is over.
        self.works = works
        self.dialogs = dialogs
        self.backfill_pace = Pace(settings.backfill_pause_ms)
        self.compare_pace = Pace(settings.compare_pause_ms)

    async def put_cursor(self, channel: FollowedChannel, cursor: Cursor) -> None:
        """Store the channel's cursor, after the log has acknowledged."""
        cursor = msgspec.structs.replace(cursor, compared_to=channel.round.at)
        pages = channel.take_changed()
        stored = False
        try:
            await self.cursors.put_cursor(cursor, pages)
            stored = True
        finally:
            if not stored:
                channel.recent.not_stored(pages)
        channel.cursor = cursor

    async def tell(
        self, channel: FollowedChannel, status: str, reason: str = "", until_ms: int | None = None
    ) -> None:
        """Report the status of a channel if it changed."""
        standing = Standing(status, reason, until_ms, self.clock.now_ms())
        await tell_standing(channel, self.publisher, self.cursors, standing)


async def tell_standing(
    channel: FollowedChannel, publisher: Publisher, cursors: Cursors, standing: Standing
) -> None:
    """To the control store, and to the log if the channel is resolved."""
    before = channel.standing
    if before is not None and msgspec.structs.replace(standing, at_ms=before.at_ms) == before:
        return
    channel.standing = standing
    if channel.channel_id is not None:
        await publisher.publish(
            ChannelStatus(
                channel_id=channel.channel_id,
                observed_at_ms=standing.at_ms,
                source=channel.source,
                status=standing.status,
                reason=standing.reason,
                until_ms=standing.until_ms,
            )
        )
    await cursors.put_standing(channel.reference, standing)
