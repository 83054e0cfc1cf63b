"""The figures of the list of channels, as connections have been told of them.

Gains come from the live view; posts of today are counted in history, now and then, while somebody
looks.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from api.live_known import UNKNOWN, Known, day_of, gained_in, hour_before, known
from api.live_view import ChannelView, LiveView
from api.messages import Figures
from clickhouse.evidence import Basis
from clickhouse.history import HistoryError
from clickhouse.reader import Reader
from streams.clock import Clock
from streams.ids import ChannelId
from streams.units import DAY_MS, MINUTE_MS

#: How often history is asked for the posts of today.
COUNT_POSTS_EVERY_S: Final = 10.0
#: So long a client that comes after a while without any waits for them.
_PATIENCE_S: Final = 1.0

_logger = logging.getLogger(__name__)


class LiveFigures:
    """`reader` None: posts are not known."""

    def __init__(self, view: LiveView, reader: Reader | None) -> None:
        self._view = view
        self._reader = reader
        #: The day whose posts were counted, and what was found.
        self._day = -1
        self._posts: Mapping[ChannelId, tuple[int | None, Basis]] = {}
        self._told: dict[ChannelId, tuple[object, ...]] = {}
        #: In which minute those of all channels were told last; -1 after a new count of posts.
        self._minute = -1
        #: By the event loop's clock: when posts were counted last, or it was tried.
        self._counted_s = float("-inf")
        self._counting = asyncio.Lock()

    async def keep_counted(self, clock: Clock, watchers: Callable[[], int]) -> None:
        """Counts posts again and again, for ever, while somebody looks."""
        while True:
            await asyncio.sleep(COUNT_POSTS_EVERY_S)
            if watchers():
                await self.count_posts(clock.now_ms())

    async def count_late_posts(self, now_ms: int) -> None:
        """Counts posts if nobody looked for a while: before somebody is shown them.

        Waits a second at most; what is not known by then is told later.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S), self._counting:
                late_s = asyncio.get_running_loop().time() - self._counted_s
                if late_s > 2 * COUNT_POSTS_EVERY_S:
                    await self.count_posts(now_ms)

    async def count_posts(self, now_ms: int) -> None:
        """What cannot be asked now stays as it was, until midnight."""
        if self._reader is None:
            return
        self._counted_s = asyncio.get_running_loop().time()
        try:
            self._posts = await self._reader.posts_of_all(*day_of(now_ms))
        except HistoryError as error:
            _logger.debug("posts_of_today_unknown", extra={"reason": str(error)})
            return
        self._day, self._minute = now_ms // DAY_MS, -1

    def of(self, view: ChannelView, now_ms: int) -> Figures:
        return Figures(
            channel_id=view.channel_id,
            observed_at_ms=now_ms,
            hour=gained_in(view.activity, *hour_before(now_ms)),
            today=self._today(view.channel_id, now_ms),
        )

    def moved(self, now_ms: int) -> list[Figures]:
        """Those of all channels that time has changed, or a new count of posts."""
        if self._minute == now_ms // MINUTE_MS:
            return []
        self._minute = now_ms // MINUTE_MS
        return self.changed(self._view.channels, now_ms)

    def changed(self, channel_ids: Iterable[ChannelId], now_ms: int) -> list[Figures]:
        """Those that were not told since they changed, or since the minute began."""
        changed = []
        for channel_id in channel_ids:
            if (view := self._view.channels.get(channel_id)) is None:
                continue
            figures = self.of(view, now_ms)
            state = (now_ms // MINUTE_MS, *_told(figures.hour), *_told(figures.today))
            if self._told.get(channel_id) != state:
                self._told[channel_id] = state
                changed.append(figures)
        return changed

    def _today(self, channel_id: ChannelId, now_ms: int) -> Known:
        if channel_id not in self._posts or self._day != now_ms // DAY_MS:
            return UNKNOWN
        return known(*self._posts[channel_id])


def _told(figure: Known) -> tuple[int | None, int]:
    """Its coverage moves with every instant: told of once a minute."""
    return figure.value, figure.n
