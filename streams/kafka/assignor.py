"""The assignor that aiokafka calls: task_assignment.py in the form of Kafka's protocol.

The protocol carries partitions of topics and custom bytes: in a member's subscription its claim, in
its assignment the tasks of which it is a standby.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from streams.context import Task
from streams.kafka.task_assignment import Claim, assign_tasks

_VERSION = 0


class Assignor(AbstractPartitionAssignor):  # type: ignore[misc]
    """One per member. `standby`: the standby tasks of the last assignment."""

    name = "analyticbot-tasks-1"

    def __init__(self, standbys: int, claim: Callable[[], Claim]) -> None:
        self._standbys = standbys
        self._claim = claim
        self.standby: tuple[Task, ...] = ()

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        said = msgspec.msgpack.encode(self._claim())
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), said)

    def assign(
        self, cluster: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Called at the leader. Raises ValueError if topics differ in their partitions."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        tasks = _tasks(cluster, topics)
        claims = {name: _read_claim(member.user_data) for name, member in members.items()}
        return {
            name: ConsumerProtocolMemberAssignment(
                _VERSION,
                [(topic, list(assignment.active)) for topic in topics],
                msgspec.msgpack.encode(assignment.standby),
            )
            for name, assignment in assign_tasks(tasks, claims, self._standbys).items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        self.standby = msgspec.msgpack.decode(assignment.user_data, type=tuple[int, ...])


def _tasks(cluster: Any, topics: list[str]) -> int:
    counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    if len(set(counts.values())) != 1 or not all(counts.values()):
        told = ", ".join(f"{topic} {count}" for topic, count in counts.items())
        raise ValueError(f"topics must have the same number of partitions, and these have: {told}")
    return counts[topics[0]]


def _read_claim(data: bytes | None) -> Claim:
    return msgspec.msgpack.decode(data, type=Claim) if data else Claim(-1, (), ())
