"""The laws of a log, on a real broker."""

from collections.abc import Awaitable, Callable

import pytest

from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.log import Log
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import Running, unique
from tests.laws.log import LogLaws
from tests.laws.member import MemberLaws
from tests.streams.kafka.prefixed import Prefixed

#: Segments of a record or two, so that retention and compaction have something to take.
EAGER = {"segment.ms": "1", "segment.index.bytes": "4096", "min.cleanable.dirty.ratio": "0.01"}


#: What a broker of somebody else's does in minutes.
UNHURRIED = {
    "test_read_below_the_first_offset_says_so",
    "test_retention_by_size_keeps_the_newest",
    "test_compaction_keeps_the_newest_of_every_key",
    "test_a_compacted_partition_reads_on_over_its_gaps",
}


class TestKafkaLog(LogLaws):
    @pytest.fixture(autouse=True)
    def in_time(self, kafka: Cluster | Running, request: pytest.FixtureRequest) -> None:
        if isinstance(kafka, Running) and request.node.name in UNHURRIED:
            pytest.skip("a running broker removes and compacts in its own time")

    @pytest.fixture
    def opener(self, kafka: Cluster | Running) -> Callable[[], Awaitable[Log]]:
        prefix = unique("laws") + "."

        async def open_log() -> Log:
            return Prefixed(await KafkaLog.open(settings_of(kafka.url), EAGER), prefix)

        return open_log


class TestKafkaMember(MemberLaws):
    @pytest.fixture
    def opener(self, kafka: Cluster | Running) -> Callable[[], Awaitable[Log]]:
        prefix = unique("members") + "."

        async def open_log() -> Log:
            return Prefixed(await KafkaLog.open(settings_of(kafka.url)), prefix)

        return open_log
