"""The Kafka broker that benchmarks run on: one of their own, or a running one."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from tests.kafka.cluster import Cluster
from tests.kafka.node import Machine

#: host:port of a broker that runs already.
GIVEN = "ANALYTICBOT_TEST_KAFKA"

#: As Kafka comes, where the broker of the tests is tuned for their haste.
AS_IT_COMES = {
    "log.cleaner.backoff.ms": "15000",
    "log.cleaner.dedupe.buffer.size": "33554432",
    "log.cleaner.min.cleanable.ratio": "0.5",
    "log.index.size.max.bytes": "10485760",
    "log.retention.check.interval.ms": "300000",
    "num.io.threads": "8",
    "num.network.threads": "3",
}


class Broker(msgspec.Struct, frozen=True):
    servers: str
    #: Of its process, where it is ours.
    pid: int | None

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}"


@contextmanager
def open_broker(settings: Mapping[str, str] | None = None) -> Iterator[Broker]:
    """`settings` of one of our own. Raises NoBroker."""
    if servers := os.environ.get(GIVEN):
        yield Broker(servers, None)
        return
    machine = Machine(heap_mib=1024, optimised=True)
    with Cluster(settings={**AS_IT_COMES, **(settings or {})}, machine=machine) as cluster:
        yield Broker(cluster.servers, cluster.pid(0))
