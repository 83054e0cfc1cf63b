"""Partition n of every input is one task, whatever number of partitions was asked for since."""

from pathlib import Path

import msgspec

from agents.pipeline import PIPELINE, plan
from analyticbot.config import read_settings
from analyticbot.installed import Decisions
from analyticbot.stores import opened_log
from streams import topics
from streams.embedded.log import EmbeddedLog
from streams.topics import AGENTS, repartition_of
from tests.agents.proofs import WORDS
from tests.agents.working import FAST, working


async def test_the_topic_of_a_key_has_as_many_as_there_are_of_observations(tmp_path: Path) -> None:
    pipeline = (*PIPELINE, WORDS)
    decisions = Decisions(pipeline, plan(pipeline))
    settings = read_settings({"ANALYTICBOT_PARTITIONS": "2"}, tmp_path)
    async with opened_log(settings):
        pass
    more = msgspec.structs.replace(settings, partitions=5)
    async with opened_log(more, decisions) as log:
        forwarded = repartition_of(AGENTS, "words").name
        assert len(await log.partitions(forwarded)) == 2
        assert len(await log.partitions(topics.UPDATES.name)) == 2


async def test_inputs_with_other_numbers_of_partitions_end_the_pipeline(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path, FAST)
    await log.create(topics.UPDATES, 3)
    await log.create(topics.WINDOWS, 2)
    async with working(tmp_path) as work:
        error = await work.failed()
    assert str(error) == (
        "topics must have the same number of partitions: analytics.windows has 2, "
        "telegram.updates has 3"
    )
    await log.close()
