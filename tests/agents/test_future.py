"""Messages that say they were observed in the future."""

from pathlib import Path

from agents.history.batch import HistoryBatch
from streams import topics
from streams.analytics import ChannelSummary
from streams.clock import SystemClock
from streams.codec import encode
from streams.events import SubscribersSampled
from streams.limits import SKEW_MS
from streams.log import Batch, Partition, Record
from streams.topics import channel_key
from tests.agents.pure import CHANNEL
from tests.agents.working import append, drafts_of, records, upserts, working
from tests.streams.sources.manual_clock import ManualClock

T = 1_700_000_040_000


def _subscribers(count: int, at_ms: int = T) -> SubscribersSampled:
    return SubscribersSampled(channel_id=CHANNEL, observed_at_ms=at_ms, subscribers=count)


async def test_an_event_from_the_future_does_not_move_the_watermark(tmp_path: Path) -> None:
    ahead = _subscribers(6, at_ms=T + SKEW_MS)
    future = _subscribers(7, at_ms=T + SKEW_MS + 1)
    async with working(tmp_path, clock=ManualClock(T)) as work:
        await append(work.log, drafts_of([_subscribers(5), future, ahead]))
        await work.settled()
        (dead,) = await records(work.log, topics.UPDATES.dead)
        assert (dead.value, dead.headers["reason"]) == (encode(future), b"future_observation")
        (summary,) = [
            message
            for message in (await upserts(work.log)).values()
            if isinstance(message, ChannelSummary)
        ]
        assert (summary.subscribers, summary.observed_at_ms) == (6, T + SKEW_MS)


async def test_without_a_clock_the_machine_s_is_taken(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    async with working(tmp_path) as work:
        await append(work.log, drafts_of([_subscribers(5, at_ms=now_ms + 3 * SKEW_MS)]))
        await append(work.log, drafts_of([_subscribers(6, at_ms=now_ms)]))
        await work.settled()
        assert work.counted("dropped", stage="updates", reason="future_observation") == 1


def test_history_does_not_keep_them_either() -> None:
    batch = HistoryBatch(ManualClock(T))
    events = [_subscribers(6, T + SKEW_MS), _subscribers(7, T + SKEW_MS + 1)]
    key = channel_key(CHANNEL)
    found = [Record(n, T, key, encode(event), {}) for n, event in enumerate(events)]
    batch.take(Batch(Partition(topics.UPDATES.name, 0), found))
    assert (batch.messages, batch.dropped) == (2, {"future_observation": 1})
