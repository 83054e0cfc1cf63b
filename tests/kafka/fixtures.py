"""Brokers for tests: one for the session, and a cluster of three for what one cannot show.

A test uses topics and groups of its own names (`unique`), so that they all can share.
ANALYTICBOT_TEST_KAFKA=host:port[,host:port] takes a running broker; where there is neither that
nor Java and Maven, the tests skip, or fail with ANALYTICBOT_REQUIRE_KAFKA=1.
"""

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.kafka.classpath import NoBroker
from tests.kafka.cluster import Cluster


class Running:
    """A broker that somebody else runs: it cannot be stopped from here.

    It removes and compacts in its own time, so laws about that are left out.
    """

    #: The shortest session of a group's member that brokers allow where nobody set another.
    session_ms = 6_000

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self.url = f"kafka://{servers}"


def unique(name: str) -> str:
    """A name that nobody else uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def kafka() -> Iterator[Cluster | Running]:
    """One broker; it stays up for the whole session."""
    if servers := os.environ.get("ANALYTICBOT_TEST_KAFKA"):
        yield Running(servers)
    else:
        yield from started(Cluster())


@pytest.fixture(scope="module")
def kafka_cluster() -> Iterator[Cluster]:
    """Three brokers of our own. Who stops one starts it again.

    Not for the whole session: three that do nothing still take a seventh of a core.
    """
    yield from started(Cluster(3))


def started(cluster: Cluster) -> Iterator[Cluster]:
    """For a fixture: it is closed afterwards; where it cannot start, the test skips."""
    try:
        cluster.start_all()
        yield cluster
    except NoBroker as error:
        if os.environ.get("ANALYTICBOT_REQUIRE_KAFKA") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    finally:
        cluster.close()
