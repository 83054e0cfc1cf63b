"""The flood waits of an account, kept across connections and restarts.

A flood wait holds back one method on one channel; when a second channel runs into the same, the
whole method waits. So one channel's wait costs the others nothing, and Telegram is not provoked.
"""

from streams.ids import ChannelId
from streams.sources.cursors import Cursors, FloodWait

#: Stands for all requests while connecting.
CONNECTING = "connect"


class FloodWaits:
    """The flood waits of one account. Each method raises CursorsUnavailable."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors
        self._until_ms: dict[tuple[str, ChannelId | None], int] = {}
        self._loaded = False

    async def load(self) -> None:
        """Load the waits of earlier runs, once."""
        if not self._loaded:
            for wait in await self._cursors.flood_waits():
                self._until_ms[wait.method, wait.channel_id] = wait.until_ms
            self._loaded = True

    def until_ms(self, method: str, channel_id: ChannelId | None) -> int:
        """When the method may be called for the channel again; 0: now."""
        either = ((method, None), (method, channel_id))
        return max(self._until_ms.get(key, 0) for key in either)

    async def put(
        self, method: str, channel_id: ChannelId | None, until_ms: int, now_ms: int
    ) -> None:
        """Add a wait. In force at once; stored when this returns."""
        self._until_ms = {key: until for key, until in self._until_ms.items() if until > now_ms}
        told = {(method, channel_id): until_ms}
        others = [until for (name, other), until in self._until_ms.items() if name == method]
        if others and (method, channel_id) not in self._until_ms:
            told[method, None] = max(until_ms, *others)
        self._until_ms |= told
        for (name, of), until in told.items():
            await self._cursors.put_flood_wait(FloodWait(name, of, until), now_ms)
