"""One account's requests to Telegram. The time in each response corrects the clock.

Flooded       wait until `until_ms` (waits); the request had no effect
Unreadable    the channel cannot be read by this account now
CallFailed    Telegram refused or failed this once: retry later
(client.AccountLost, client.ConnectionLost)
"""

import asyncio
from typing import Any

from telethon import errors

from collect.client import (
    AWAY,
    FATAL,
    FLOODS,
    CollectorClient,
    ConnectionLost,
    connection_error,
    word_of,
)
from collect.waits import FloodWaits
from streams.clock import CorrectedClock
from streams.ids import ChannelId
from streams.metrics import Metrics

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
    """`reason`: Telegram's error code, or one of ours; `detail`: the text for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail or reason


class CallFailed(Exception): ...


class Calls:
    """Requests through one connection."""

    def __init__(
        self,
        client: CollectorClient,
        clock: CorrectedClock,
        metrics: Metrics,
        waits: FloodWaits,
        *,
        most: int,
        timeout_s: float,
    ) -> None:
        self.client = client
        self._clock = clock
        self._metrics = metrics
        self._waits = waits
        self._free = asyncio.Semaphore(most)
        self._timeout_s = timeout_s

    async def __call__(self, request: Any, channel_id: ChannelId | None = None) -> Any:
        """The response. Never waits out a flood wait.

        Raises the errors above, CursorsUnavailable.
        """
        method = type(request).__name__.removesuffix("Request")
        async with self._free:
            now_ms = self._clock.now_ms()
            if (until_ms := self._waits.until_ms(method, channel_id)) > now_ms:
                raise Flooded(method, until_ms)
            try:
                with self.client.timed(self._clock):
                    async with asyncio.timeout(self._timeout_s):
                        answer = await self.client(request)
            except FLOODS as error:
                until_ms = self._clock.now_ms() + max(error.seconds, 1) * 1000
                self._metrics.error("collector", "flood_wait")
                await self._waits.put(method, channel_id, until_ms, self._clock.now_ms())
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
