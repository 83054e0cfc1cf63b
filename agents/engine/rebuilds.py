"""What operators want rebuilt: messages of the compacted topic control.rebuilds.

Every worker follows it, and each begins the rebuild in its own tasks; a task whose worker is gone
is rebuilt by its next owner. So nothing has to be stopped, and nobody has to be asked.
"""

import logging
from collections.abc import Mapping

import msgspec

from streams.between import read_between
from streams.log import Draft, Log, LogUnavailable, Record
from streams.retry import Retry
from streams.topics import REBUILDS

logger = logging.getLogger(__name__)


class Wanted(msgspec.Struct, frozen=True):
    """That a decision forgets its rows and is filled again."""

    decision: str
    #: Names the request: one that is newer is another.
    at_ms: int
    v: int = 1


_decode = msgspec.msgpack.Decoder(Wanted).decode


async def want(log: Log, decision: str, at_ms: int) -> None:
    """Durable when it returns. Raises LogError."""
    value = msgspec.msgpack.encode(Wanted(decision, at_ms))
    await log.append([Draft(REBUILDS.name, decision.encode(), value, at_ms)])


async def last_wanted(log: Log, decision: str) -> int:
    """When a decision's rebuild was asked for last; 0 where it never was. Raises LogError."""
    last_ms = 0
    for partition, bounds in (await log.bounds(REBUILDS.name)).items():
        async for records in read_between(log, partition, bounds, 500):
            wanted = [one for record in records if (one := _read(record)) is not None]
            last_ms = max([last_ms, *(one.at_ms for one in wanted if one.decision == decision)])
    return last_ms


class Rebuilds:
    """What is wanted now. Run `follow` in a task."""

    def __init__(self) -> None:
        self._at_ms: dict[str, int] = {}

    @property
    def wanted(self) -> Mapping[str, int]:
        """A decision's name to when its last rebuild was asked for."""
        return self._at_ms

    def note(self, decision: str, at_ms: int) -> None:
        """Have a decision rebuilt where the last rebuild that was begun is older."""
        self._at_ms[decision] = at_ms

    async def follow(self, log: Log) -> None:
        """Until cancelled. Raises LogError other than LogUnavailable."""
        retry = Retry({LogUnavailable: "log"}, logger)

        async def read_on() -> None:
            bounds = await log.bounds(REBUILDS.name)
            start = {partition: at.first for partition, at in bounds.items()}
            async for batch in log.subscribe([REBUILDS.name], start):
                retry.succeeded()
                for record in batch.records:
                    self._take(record)

        await retry.call(read_on)

    def _take(self, record: Record) -> None:
        if (wanted := _read(record)) is not None:
            self.note(wanted.decision, wanted.at_ms)


def _read(record: Record) -> Wanted | None:
    """None for what no version of this program wrote."""
    try:
        return _decode(record.value or b"")
    except msgspec.DecodeError as error:
        logger.warning("rebuild_unreadable", extra={"reason": str(error)})
        return None
