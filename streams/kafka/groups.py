"""The committed offsets of groups, with members and without."""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka.errors import (
    IllegalGenerationError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest

from streams.kafka.brokers import Brokers
from streams.log import NotOwner, Partition


class Membership(NamedTuple):
    """The committer's identity, which the broker compares with the group's members."""

    generation: int
    member: str


#: Of a group without members.
NO_MEMBER = Membership(-1, "")
_STALE = (IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class Committed(NamedTuple):
    offset: int
    #: The text that the committer stored with it.
    note: str


async def committed(brokers: Brokers, group: str) -> Mapping[Partition, Committed]:
    """Raises the coordinator's error."""
    answer = await brokers.coordinator(group, OffsetFetchRequest(group, None))
    _check(brokers, group, answer.error_code)
    found = {}
    for topic, partitions in answer.topics:
        for number, offset, note, code in partitions:
            _check(brokers, group, code)
            if offset >= 0:
                found[Partition(topic, number)] = Committed(offset, note or "")
    return found


async def commit(
    brokers: Brokers,
    group: str,
    commits: Mapping[Partition, tuple[int, str]],
    membership: Membership = NO_MEMBER,
) -> None:
    """Commit offsets with their texts. Raises the coordinator's error;

    NotOwner if the group has reassigned its partitions since this membership.
    """
    topics: dict[str, list[tuple[int, int, str]]] = {}
    for (topic, number), (offset, note) in commits.items():
        topics.setdefault(topic, []).append((number, offset, note))
    request = OffsetCommitRequest(group, *membership, -1, list(topics.items()))
    for _, partitions in (await brokers.coordinator(group, request)).topics:
        for _, code in partitions:
            if for_code(code) in _STALE:
                raise NotOwner(
                    f"group {group!r} has members: only they commit"
                    if membership == NO_MEMBER
                    else f"group {group!r} has handed out its partitions anew"
                )
            _check(brokers, group, code)


def _check(brokers: Brokers, group: str, code: int) -> None:
    if (error := for_code(code)) is not NoError:
        brokers.forget_coordinator(group)
        raise error(group)
