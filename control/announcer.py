"""Tells running processes what an operator changed: the topic control.changes.

Of channels a message says that something changed and when, not how: who reads it asks the store
again; it is keyed by its kind. A setting is announced with its value and version, under its name
and channel, because workers need not be given the store. The topic is compacted, so it holds one
message per key.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal, cast, get_args

import msgspec

from control.store import ControlStore, ControlUnavailable
from streams.broadcasts import SettingChanged
from streams.codec import Selection, Undecodable, encode, kind_of
from streams.events import VERSION
from streams.log import Batch, Draft, Log, LogUnavailable, OffsetTooOld
from streams.pauses import Pauses
from streams.retry import Retry, Transient
from streams.topics import CONTROL

logger = logging.getLogger(__name__)

#: How often the store is asked for settings that are not announced yet, in seconds.
EVERY_S = 1.0
_TRANSIENT: Transient = {ControlUnavailable: "control", LogUnavailable: "log"}

Kind = Literal["channels"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something of this kind changed in the control store."""

    v: int = VERSION
    kind: Kind
    at_ms: int


async def announce(log: Log, change: Change) -> None:
    """Returns when the change is in the log. Call it after the store has it. Raises LogError."""
    value = msgspec.msgpack.encode(change)
    await log.append([Draft(CONTROL.name, change.kind.encode(), value, change.at_ms)])


class SettingsAnnouncer:
    """Announces what the store has and this process has not announced yet.

    The store is the truth: an announcement that fails is repeated, and one that comes twice, or
    from two processes, says the same. All are announced at the start.
    """

    def __init__(self, control: ControlStore, log: Log) -> None:
        self._control = control
        self._log = log
        self._announced: dict[bytes, int] = {}

    async def run(self, every_s: float = EVERY_S) -> None:
        """Runs until cancelled; waits while the store or the log is unavailable."""
        retry = Retry(_TRANSIENT, logger, Pauses(every_s, 10 * every_s))
        while True:
            await retry.call(self.announce)
            await asyncio.sleep(every_s)

    async def announce(self) -> None:
        """Raises ControlUnavailable, LogError."""
        changes = {_key(change): change for change in await self._control.settings.all()}
        new = {
            key: change
            for key, change in changes.items()
            if self._announced.get(key) != change.version
        }
        if new:
            drafts = [
                Draft(CONTROL.name, key, encode(change), change.at_ms)
                for key, change in new.items()
            ]
            await self._log.append(drafts)
            self._announced |= {key: change.version for key, change in new.items()}


async def announced_settings(log: Log) -> AsyncGenerator[SettingChanged, None]:
    """The settings that were announced, then those that are; waits while the log is unavailable.

    Some may come twice.
    """
    retry = Retry(_TRANSIENT, logger)
    while True:
        try:
            start = {at: each.first for at, each in (await log.bounds(CONTROL.name)).items()}
            batches = cast(_Batches, log.subscribe([CONTROL.name], start))
            async with aclosing(batches):
                async for batch in batches:
                    retry.succeeded()
                    for record in batch.records:
                        change = _setting(record.value or b"")
                        if change is not None:
                            yield change
        except LogUnavailable as error:
            retry.note(error)
            await retry.pause()
        except OffsetTooOld:
            continue


def _setting(data: bytes) -> SettingChanged | None:
    """None for other messages."""
    if kind_of(data) != _TAG:
        return None
    try:
        return _decode(data)
    except Undecodable as error:
        # A newer version wrote it: keep the known value.
        logger.warning("setting_ignored", extra={"reason": str(error)})
        return None


_Batches = AsyncGenerator[Batch, None]
_decode = Selection[SettingChanged](SettingChanged).decode
_TAG = str(SettingChanged.__struct_config__.tag)


def _key(change: SettingChanged) -> bytes:
    return f"setting/{change.name}/{change.channel_id or ''}".encode()
