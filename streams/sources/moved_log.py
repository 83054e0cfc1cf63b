"""Copies the observations of one log into another, each once: an installation moves to a cluster.

Messages are copied unchanged, so that agents decide about them as before. Their order within a
channel stays, whatever the numbers of partitions are. A killed copy resumes where it stopped.
"""

from collections.abc import Callable

import msgspec

from streams.between import read_between
from streams.log import FIRST_APPENDED, Draft, Log, Record
from streams.sources.replay_mark import ReplayMark
from streams.topics import UPDATES

#: Messages per append.
CHUNK = 500
#: The factor of the partition in a message's number, above every offset.
_PARTITION = 1 << 48


class Moved(msgspec.Struct):
    """The progress of a copy, in messages of the source."""

    messages_total: int
    messages: int = 0
    #: How many of them the target already had.
    already: int = 0


async def move(
    source: Log, target: Log, identity: str, progress: Callable[[Moved], None] | None = None
) -> Moved:
    """Copy the messages that the `target` lacks; returns when it has acknowledged all of them.

    `identity` names the source and must be the same on every call; nothing may write to the source
    meanwhile. `progress` is called per batch, after its acknowledgement, and must not block.
    Raises LogError.
    """
    mark = ReplayMark(target, identity)
    written = await mark.find()
    bounds = await source.bounds(UPDATES.name)
    moved = Moved(sum(one.next - one.first for one in bounds.values()))
    for partition in sorted(bounds):
        async for records in read_between(source, partition, bounds[partition], CHUNK):
            numbered = [(partition.number * _PARTITION + one.offset, one) for one in records]
            left = [one for one in numbered if not written.holds_key(one[0], _key(one[1]))]
            if left:
                await target.append([_draft(one, mark, number) for number, one in left])
                await mark.advance(len(left))
            moved.messages += len(records)
            moved.already += len(records) - len(left)
            if progress is not None:
                progress(moved)
    moved.messages_total = moved.messages
    return moved


def _draft(record: Record, mark: ReplayMark, number: int) -> Draft:
    appended = {FIRST_APPENDED: b"%d" % record.first_appended_ms}
    headers = {**record.headers, **appended, **mark.headers(number)}
    return Draft(UPDATES.name, _key(record), record.value, record.timestamp_ms, headers)


def _key(record: Record) -> bytes:
    return record.key or b""
