"""Brokers that a test may stop and kill: each test has its own."""

from collections.abc import Iterator

import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started


@pytest.fixture
def broker() -> Iterator[Cluster]:
    """One broker."""
    yield from started(Cluster(1))


@pytest.fixture
def brokers() -> Iterator[Cluster]:
    """Three brokers."""
    yield from started(Cluster(3))
