"""The committed offsets of groups that have no members."""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka.errors import NoError, UnknownMemberIdError, for_code
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest

from streams.kafka.brokers import Brokers
from streams.log import LogError, Offsets, Partition


class Committed(NamedTuple):
    offset: int
    #: What the committer wrote beside it.
    note: str


async def committed(brokers: Brokers, group: str) -> Mapping[Partition, Committed]:
    """Raises what the coordinator answered."""
    answer = await brokers.coordinator(group, OffsetFetchRequest(group, None))
    _check(brokers, group, answer.error_code)
    found = {}
    for topic, partitions in answer.topics:
        for number, offset, note, code in partitions:
            _check(brokers, group, code)
            if offset >= 0:
                found[Partition(topic, number)] = Committed(offset, note or "")
    return found


async def commit(brokers: Brokers, group: str, offsets: Offsets) -> None:
    """Raises what the coordinator answered; LogError for a group that has members."""
    topics: dict[str, list[tuple[int, int, str]]] = {}
    for (topic, number), offset in offsets.items():
        topics.setdefault(topic, []).append((number, offset, ""))
    # -1 and no name: not as a member.
    request = OffsetCommitRequest(group, -1, "", -1, list(topics.items()))
    for _, partitions in (await brokers.coordinator(group, request)).topics:
        for _, code in partitions:
            if for_code(code) is UnknownMemberIdError:
                raise LogError(f"group {group!r} has members: only they commit")
            _check(brokers, group, code)


def _check(brokers: Brokers, group: str, code: int) -> None:
    if (error := for_code(code)) is not NoError:
        brokers.forget_coordinator(group)
        raise error(group)
