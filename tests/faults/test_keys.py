"""Decisions on several topics and under keys of their own, on Kafka: each message counts once."""

from pathlib import Path

from tests.agents.fading_left import check_fading, has_faded
from tests.agents.proofs_left import check_proofs
from tests.faults.harness import stage
from tests.faults.keyed import KEYED
from tests.faults.load import loading
from tests.faults.observations import observations
from tests.faults.test_worker_kills import kill_at_random
from tests.faults.waiting import until
from tests.kafka.cluster import Cluster


async def test_two_workers_of_which_one_is_killed_count_every_word_once(
    broker: Cluster, tmp_path: Path
) -> None:
    async with stage(broker.url + "?session_ms=2000", tmp_path, more=KEYED) as on:
        workers = [on.worker("one", static=True), on.worker("two")]
        for worker in workers:
            worker.program = "tests.faults.keyed"
        async with loading(on.log, observations()[:900], rate=300) as load:
            workers[1].start()
            await load.reached(0.05)
            await kill_at_random(workers[0], kills=2, seed=5)
        workers[0].start()
        await workers[0].told("tables_restored")
        # Ticks fire what is due by the clock, which is all of a recording.
        await until(lambda: has_faded(on.log, on.group), 60, "all timers to have fired")
        await on.settled()
        for worker in workers:
            await worker.stop()
        await check_proofs(on.log, on.group)
        await check_fading(on.log, on.group)
