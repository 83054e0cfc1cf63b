"""One channel's work while a connection lasts: each job when it is due, one at a time.

A job that has to wait (a flood wait, a refusal) does not block the channel's other jobs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Literal

from collect.calls import CallFailed, Flooded, Unreadable
from collect.channel import FollowedChannel
from collect.comparing import compare
from collect.connection import Connection, Pace
from collect.introduction import describe
from collect.pages import backfill, catch_up
from collect.resolving import resolve
from collect.sampling import sample

logger = logging.getLogger(__name__)

Job = Literal["resolve", "describe", "catch_up", "sample", "compare", "backfill"]
Work = Callable[[FollowedChannel, Connection], Awaitable[None]]

#: In the order in which due jobs run.
WORK: Mapping[Job, Work] = MappingProxyType(
    {
        "resolve": resolve,
        "describe": describe,
        "catch_up": catch_up,
        "sample": sample,
        "compare": compare,
        "backfill": backfill,
    }
)
#: Pauses after a failure grow from the first to the longest, in the clock's time.
FIRST_RETRY_MS = 1000
LONGEST_RETRY_MS = 300_000
#: What Telegram, or we, say of a channel that cannot be observed, as a status; else it is private.
_STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "USERNAME_NOT_OCCUPIED": "not_found",
        "USERNAME_INVALID": "not_found",
        "NOT_AMONG_DIALOGS": "not_found",
        "NOT_A_CHANNEL": "not_a_channel",
        "FOLLOWED_TWICE": "duplicate",
        "CHANNEL_BANNED": "banned",
        "USER_BANNED_IN_CHANNEL": "banned",
    }
)
#: Errors of a bad access hash, which a good one would mend.
_BAD_HASH = frozenset({"CHANNEL_INVALID", "PEER_ID_INVALID", "CHAT_ID_INVALID"})
#: Longer than anything is planned ahead.
_NEVER_MS = 1 << 62


class Follower:
    def __init__(self, channel: FollowedChannel, on: Connection) -> None:
        self._channel = channel
        self._on = on
        #: When each job last ran on this connection.
        self._done_ms: dict[Job, int] = {}
        #: Not before: flood waits, failures, turns.
        self._not_before_ms: dict[Job, int] = {}
        self._retry_ms: dict[Job, int] = {}
        self._flooded: set[Job] = set()
        self._unreadable_until_ms = 0
        self._paces: Mapping[Job, Pace] = {"backfill": on.backfill_pace, "compare": on.compare_pace}
        #: When a round over all known posts last ended, or was not needed.
        self._compared_ms = on.clock.now_ms()

    async def run(self) -> None:
        """Runs until cancelled.

        Raises AccountLost, ConnectionLost, CursorsUnavailable, LogError.
        """
        while True:
            self._channel.changed.clear()
            job, due_ms = self._next()
            wait_ms = due_ms - self._on.clock.now_ms()
            if wait_ms > 0:
                await self._idle(wait_ms)
            else:
                await self._do(job)

    def _next(self) -> tuple[Job, int]:
        """The first due job; without one, the next to be due."""
        dues: dict[Job, int] = {job: self._due_ms(job) for job in WORK}
        now_ms = self._on.clock.now_ms()
        due: list[Job] = [job for job, due_ms in dues.items() if due_ms <= now_ms]
        job = due[0] if due else min(dues, key=lambda job: dues[job])
        return job, dues[job]

    def _due_ms(self, job: Job) -> int:
        held_ms = max(self._not_before_ms.get(job, 0), self._unreadable_until_ms)
        if job == "resolve":
            held_ms = max(held_ms, self._channel.name_until_ms)
        return max(self._planned_ms(job), held_ms)

    def _planned_ms(self, job: Job) -> int:
        channel, settings = self._channel, self._on.settings
        if not channel.resolved:
            return 0 if job == "resolve" else _NEVER_MS
        caught_up = "catch_up" in self._done_ms
        match job:
            case "describe":
                return self._done_ms.get(job, -settings.describe_every_ms) + (
                    settings.describe_every_ms
                )
            case "catch_up":
                if channel.missed or not caught_up:
                    return 0
                return self._next_check_ms(self._done_ms[job])
            case "sample" if caught_up:
                due_ms = channel.recent.next_due_ms()
                return _NEVER_MS if due_ms is None else due_ms
            case "compare" if caught_up:
                if channel.round.at is not None:
                    return 0
                return self._compared_ms + settings.compare_every_ms
            case "backfill" if caught_up and settings.backfill:
                return _NEVER_MS if channel.known_cursor.backfill_done else 0
            case _:
                return _NEVER_MS

    def _next_check_ms(self, last_ms: int) -> int:
        """Coincides with a turn of samples, so that its page can replace their request."""
        due_ms = last_ms + self._on.settings.check_every_ms
        together_ms = self._channel.recent.on_grid(due_ms)
        return together_ms if together_ms > last_ms else due_ms

    async def _do(self, job: Job) -> None:
        now_ms = self._on.clock.now_ms()
        try:
            if job == "compare" and self._channel.round.at is None:
                self._channel.round.begin()
            await WORK[job](self._channel, self._on)
        except Flooded as flooded:
            self._not_before_ms[job] = flooded.until_ms
            self._flooded.add(job)
            self._on.works()
            await self._tell("waiting", f"FLOOD_WAIT {flooded.method}", flooded.until_ms)
        except Unreadable as error:
            channel = self._channel
            if error.reason in _BAD_HASH and channel.hash_is_old and channel.resolved:
                channel.refuse_hash()
            else:
                await self._put_unreadable(error)
        except CallFailed as error:
            retry_ms = self._retry_ms.get(job, FIRST_RETRY_MS)
            self._retry_ms[job] = min(retry_ms * 2, LONGEST_RETRY_MS)
            self._not_before_ms[job] = now_ms + retry_ms
            logger.warning("request_failed", extra=self._fields(str(error)))
        else:
            await self._succeeded(job)

    async def _succeeded(self, job: Job) -> None:
        now_ms = self._on.clock.now_ms()
        self._done_ms[job] = now_ms
        self._retry_ms.pop(job, None)
        self._flooded.discard(job)
        pace = self._paces.get(job)
        self._not_before_ms[job] = pace.next_turn_ms(now_ms) if pace else 0
        if job == "compare" and self._channel.round.at is None:
            self._compared_ms = now_ms
        if job == "catch_up":
            self._on.works()
        if not self._flooded and "catch_up" in self._done_ms:
            await self._tell("live", self._channel.note)

    async def _put_unreadable(self, error: Unreadable) -> None:
        until_ms = self._on.clock.now_ms() + self._pause_ms()
        if self._channel.channel_id is None:
            self._channel.name_until_ms = until_ms
        self._unreadable_until_ms = until_ms
        self._on.works()
        self._on.metrics.error("collector", "unreadable")
        status = _STATUSES.get(error.reason, "private")
        standing = self._channel.standing
        if standing is None or (standing.status, standing.reason) != (status, error.detail):
            logger.warning("channel_unreadable", extra=self._fields(error.detail))
        await self._tell(status, error.detail, until_ms)

    def _pause_ms(self) -> int:
        """The name may lead to a channel some day: retry less and less often."""
        channel, settings = self._channel, self._on.settings
        if channel.channel_id is not None:
            return settings.unreadable_retry_ms
        longer_ms = max(channel.name_pause_ms * 2, settings.unreadable_retry_ms)
        channel.name_pause_ms = min(longer_ms, settings.longest_name_retry_ms)
        return channel.name_pause_ms

    def _fields(self, reason: str) -> dict[str, str]:
        return {"channel": self._channel.name, "reason": reason}

    async def _tell(self, status: str, reason: str = "", until_ms: int | None = None) -> None:
        await self._on.tell(self._channel, status, reason, until_ms)

    async def _idle(self, wait_ms: int) -> None:
        """Wait by the clock, or until the channel changes."""
        waits = (
            asyncio.ensure_future(self._on.clock.sleep_ms(wait_ms)),
            asyncio.ensure_future(self._channel.changed.wait()),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
