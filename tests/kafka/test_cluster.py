"""The brokers of the tests themselves."""

import pytest

from tests.kafka.classpath import NoBroker
from tests.kafka.cluster import Cluster


def test_a_broker_comes_back_to_its_port(kafka_cluster: Cluster) -> None:
    servers = kafka_cluster.servers
    kafka_cluster.kill(1)
    assert not set(kafka_cluster.metadata().brokers) - {0, 1, 2}
    kafka_cluster.start(1)
    assert set(kafka_cluster.metadata().brokers) == {0, 1, 2}
    assert kafka_cluster.servers == servers


def test_a_cluster_of_which_nothing_runs_says_so() -> None:
    cluster = Cluster()
    try:
        with pytest.raises(NoBroker):
            cluster.metadata()
    finally:
        cluster.close()


def test_without_java_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    cluster = Cluster()
    try:
        with pytest.raises(NoBroker, match="Java"):
            cluster.start_all()
    finally:
        cluster.close()
