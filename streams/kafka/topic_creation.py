"""Creates topics, and updates their settings."""

from collections.abc import Mapping

from aiokafka.errors import LeaderNotAvailableError, NoError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreateTopicsRequest,
    DescribeConfigsRequest,
)

from streams.kafka.brokers import Brokers
from streams.kafka.times import TIMESTAMP
from streams.topics import Topic
from streams.units import DAY_MS

_TOPIC = 2
#: The source of a setting of the topic itself.
_OWN = 1
_LARGEST_SEGMENT = 1 << 30
#: The smallest value that brokers accept.
_SMALLEST_SEGMENT = 1 << 20


def configuration(topic: Topic, copies: int) -> dict[str, str]:
    """The settings of a topic that override the brokers'."""
    kept = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": "-1" if topic.retention_ms is None else str(topic.retention_ms),
        "retention.bytes": "-1" if topic.retention_bytes is None else str(topic.retention_bytes),
        # Retention removes whole segments: eighths keep it close to the requested size.
        "segment.bytes": str(_segment_bytes(topic)),
        **TIMESTAMP,
    }
    if topic.compacted:
        # Readers with copies of rows must return before tombstones are removed (state.py).
        kept["delete.retention.ms"] = str(7 * DAY_MS)
    if copies >= 3:
        # One copy may be unavailable while acknowledged records are in two.
        kept["min.insync.replicas"] = "2"
    return kept


def _segment_bytes(topic: Topic) -> int:
    if topic.retention_bytes is None:
        return _LARGEST_SEGMENT if not topic.compacted else 64 << 20
    return min(max(topic.retention_bytes // 8, _SMALLEST_SEGMENT), _LARGEST_SEGMENT)


async def make(brokers: Brokers, topic: Topic, partitions: int, extra: Mapping[str, str]) -> None:
    """Returns when all its partitions can be written. Raises the brokers' errors."""
    copies = brokers.settings.replication or min(brokers.count, 3)
    wanted = {**configuration(topic, copies), **extra}
    if await brokers.partitions(topic.name):
        await _adjust(brokers, topic.name, wanted)
    else:
        request = CreateTopicsRequest(
            [(topic.name, partitions, copies, [], list(wanted.items()))],
            brokers.settings.request_ms,
            False,
        )
        for _, code, said in (await brokers.anyone(request)).topic_errors:
            error = for_code(code)
            if error not in (NoError, TopicAlreadyExistsError):
                raise error(f"{topic.name}: {said}")
    found = await brokers.partitions(topic.name)
    if not found:
        # This broker does not know the topic yet.
        raise LeaderNotAvailableError(topic.name)
    for partition in found:
        brokers.leader(partition)


async def _adjust(brokers: Brokers, topic: str, wanted: Mapping[str, str]) -> None:
    """Change settings that differ. Other settings of operators stay."""
    own = await _own_settings(brokers, topic)
    if all(own.get(name) == value for name, value in wanted.items()):
        return
    # The request replaces all settings.
    settings = {**own, **wanted}
    request = AlterConfigsRequest([(_TOPIC, topic, list(settings.items()))])
    for code, said, _, _ in (await brokers.anyone(request)).resources:
        if (error := for_code(code)) is not NoError:
            raise error(f"{topic}: {said}")


async def _own_settings(brokers: Brokers, topic: str) -> dict[str, str]:
    request = DescribeConfigsRequest([(_TOPIC, topic, None)])
    found: dict[str, str] = {}
    for code, said, _, _, entries in (await brokers.anyone(request)).resources:
        if (error := for_code(code)) is not NoError:
            raise error(f"{topic}: {said}")
        found |= {name: value for name, value, _, source, *_ in entries if source == _OWN}
    return found
