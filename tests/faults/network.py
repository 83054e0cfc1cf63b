"""A broker that some workers reach only over a bad network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.faults.proxy import Proxy
from tests.kafka.cluster import Cluster, Listener
from tests.kafka.fixtures import started
from tests.kafka.ports import free_ports

_NAME = "FAR"

#: Kinds of requests, by their numbers in the protocol.
PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TRANSACTION, COMMIT_OFFSETS = 0, 24, 25, 26, 28
START_PRODUCER, JOIN_GROUP, HEARTBEAT, SYNC_GROUP, FETCH_OFFSETS = 22, 11, 12, 14, 9


class Far(NamedTuple):
    cluster: Cluster
    #: Stands before the broker for who comes by `url`.
    proxy: Proxy
    url: str


@contextmanager
def far_broker() -> Iterator[Far]:
    """One broker with two addresses: its own, and one behind a proxy."""
    [port] = free_ports(1)
    made = Cluster(listeners=(Listener(_NAME, "PLAINTEXT", advertised={0: port}),))
    for cluster in started(made):
        with Proxy(cluster.ports[_NAME][0], port) as proxy:
            yield Far(cluster, proxy, f"kafka://127.0.0.1:{port}")


def asks(kind: int) -> Callable[[bytes], bool]:
    """Whether a request of this kind is among those that bytes of a connection begin with."""

    def found(data: bytes) -> bool:
        while len(data) >= 6:
            size = int.from_bytes(data[:4], "big")
            if int.from_bytes(data[4:6], "big") == kind:
                return True
            data = data[4 + size :]
        return False

    return found
