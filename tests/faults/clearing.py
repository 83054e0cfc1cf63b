"""Topics of an earlier test, out of the way: a broker of its own for each would take too long."""

from collections.abc import Collection

from aiokafka.admin import AIOKafkaAdminClient

from streams.kafka.settings import client_options, settings_of
from tests.faults.waiting import until
from tests.patience import PATIENCE_S


async def clear(url: str, topics: Collection[str]) -> None:
    """Returns when none of them is there, nor what groups have read of them."""
    admin = AIOKafkaAdminClient(**client_options(settings_of(url)))
    await admin.start()
    try:
        there = set(topics) & set(await admin.list_topics())
        if there:
            await admin.delete_topics(sorted(there))

            async def is_gone() -> bool:
                return not there & set(await admin.list_topics())

            await until(is_gone, PATIENCE_S, "topics to be gone")
    finally:
        await admin.close()
