"""The topics on a cluster: made with what they need, and checked at every start."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from analyticbot.config import Settings, read_settings
from analyticbot.failure import Failure
from analyticbot.stores import opened_log, wanted_topics
from streams.kafka.settings import client_options, settings_of
from streams.topics import UPDATES, changelog_of
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started


@pytest.fixture(scope="module")
def broker() -> Iterator[Cluster]:
    """One of its own: the names of topics are fixed."""
    yield from started(Cluster())


def settings(broker: Cluster, folder: Path, **changed: str) -> Settings:
    environment = {f"ANALYTICBOT_{name.upper()}": value for name, value in changed.items()}
    return read_settings({"ANALYTICBOT_LOG": broker.url, **environment}, folder)


async def kept(broker: Cluster, topic: str) -> Mapping[str, str]:
    admin = AIOKafkaAdminClient(**client_options(settings_of(broker.url)))
    await admin.start()
    try:
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {name: value for name, value, *_ in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_all_topics_are_made_once_and_adjusted_when_asked(
    broker: Cluster, tmp_path: Path
) -> None:
    first = settings(broker, tmp_path, partitions="3", log_days="2", log_mib="64")
    async with opened_log(first) as log:
        assert {len(await log.partitions(topic.name)) for topic in wanted_topics(first)} == {3}
    names = {topic.name for topic in wanted_topics(first)}
    assert {
        "telegram.updates",
        "telegram.updates.dead",
        "analytics.windows.dead",
        "analyticbot-channels-changelog",
        "analyticbot-posts-changelog",
        "analyticbot-shelves-changelog",
        "analyticbot-spikes-changelog",
    } <= names
    updates = await kept(broker, UPDATES.name)
    assert (updates["retention.ms"], updates["retention.bytes"]) == ("172800000", str(64 << 20))
    changelog = await kept(broker, changelog_of("analyticbot", "posts").name)
    assert (changelog["cleanup.policy"], changelog["retention.ms"]) == ("compact", "-1")

    later = settings(broker, tmp_path, partitions="3", log_days="5")
    async with opened_log(later):
        assert (await kept(broker, UPDATES.name))["retention.ms"] == "172800000"
    async with opened_log(later, adjust=True):
        assert (await kept(broker, UPDATES.name))["retention.ms"] == "432000000"


async def test_another_number_of_partitions_is_one_clear_line(
    broker: Cluster, tmp_path: Path
) -> None:
    async with opened_log(settings(broker, tmp_path, partitions="3")):
        pass
    with pytest.raises(Failure, match="has 3 partitions and ANALYTICBOT_PARTITIONS is 8") as raised:
        async with opened_log(settings(broker, tmp_path, partitions="8")):
            pass
    assert "\n" not in str(raised.value)


async def test_brokers_that_are_away_are_one_clear_line(tmp_path: Path) -> None:
    cluster = Cluster()
    try:
        with pytest.raises(Failure, match="cannot be reached") as raised:
            async with opened_log(settings(cluster, tmp_path)):
                pass
        assert "\n" not in str(raised.value)
    finally:
        cluster.close()
