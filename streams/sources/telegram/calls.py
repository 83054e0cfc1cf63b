"""One account's requests to Telegram.

A flood wait holds back one method on one channel; when a second channel runs into the same, the
whole method waits. So one channel's wait costs the others nothing, and Telegram is not provoked.

    Flooded       wait until `until_ms`; nothing was sent, or nothing came of it
    Unreadable    the channel cannot be read by this account now
    CallFailed    Telegram refused or failed this once; try again later
    (client.AccountLost, client.ConnectionLost)
"""

import asyncio
from typing import Any

from telethon import errors

from streams.clock import Clock
from streams.ids import ChannelId
from streams.metrics import Metrics
from streams.sources.telegram.client import (
    AWAY,
    FATAL,
    CollectorClient,
    ConnectionLost,
    connection_error,
    word_of,
)

_FLOODS = (errors.FloodWaitError, errors.FloodPremiumWaitError)
_UNREADABLE = (
    errors.ChannelPrivateError,
    errors.ChannelInvalidError,
    errors.ChannelBannedError,
    errors.ChatIdInvalidError,
    errors.PeerIdInvalidError,
    errors.UsernameInvalidError,
    errors.UsernameNotOccupiedError,
    errors.UserBannedInChannelError,
)


class Flooded(Exception):
    def __init__(self, method: str, until_ms: int) -> None:
        super().__init__(f"{method} has to wait")
        self.method = method
        self.until_ms = until_ms


class Unreadable(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CallFailed(Exception): ...


class Holds:
    """The flood waits of one account, kept over its connections."""

    def __init__(self) -> None:
        self._until_ms: dict[tuple[str, ChannelId | None], int] = {}

    def until_ms(self, method: str, channel_id: ChannelId | None) -> int:
        """Until when the method must not be called for the channel; 0 if it may."""
        either = ((method, None), (method, channel_id))
        return max(self._until_ms.get(key, 0) for key in either)

    def put(self, method: str, channel_id: ChannelId | None, until_ms: int, now_ms: int) -> None:
        self._until_ms = {key: until for key, until in self._until_ms.items() if until > now_ms}
        others = [until for (name, other), until in self._until_ms.items() if name == method]
        if others and (method, channel_id) not in self._until_ms:
            self._until_ms[method, None] = max(until_ms, *others)
        self._until_ms[method, channel_id] = until_ms


class Calls:
    """Requests through one connection."""

    def __init__(
        self,
        client: CollectorClient,
        clock: Clock,
        metrics: Metrics,
        holds: Holds,
        *,
        most: int,
        timeout_s: float,
    ) -> None:
        self.client = client
        self._clock = clock
        self._metrics = metrics
        self._holds = holds
        self._free = asyncio.Semaphore(most)
        self._timeout_s = timeout_s

    async def __call__(self, request: Any, channel_id: ChannelId | None = None) -> Any:
        """The answer. Raises the errors above; never waits out a flood wait."""
        method = type(request).__name__.removesuffix("Request")
        async with self._free:
            now_ms = self._clock.now_ms()
            if (until_ms := self._holds.until_ms(method, channel_id)) > now_ms:
                raise Flooded(method, until_ms)
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await self.client(request)
            except _FLOODS as error:
                until_ms = self._clock.now_ms() + max(error.seconds, 1) * 1000
                self._holds.put(method, channel_id, until_ms, now_ms)
                self._metrics.error("collector", "flood_wait")
                raise Flooded(method, until_ms) from error
            except _UNREADABLE as error:
                raise Unreadable(word_of(error)) from error
            except FATAL as error:
                raise connection_error(error) from error
            except TimeoutError as error:
                raise ConnectionLost(f"{method} was not answered") from error
            except AWAY as error:
                raise connection_error(error) from error
            except (errors.RPCError, ValueError) as error:
                self._metrics.error("collector", "call_failed")
                raise CallFailed(f"{method}: {error}") from error
        self._metrics.received("collector")
        return answer
