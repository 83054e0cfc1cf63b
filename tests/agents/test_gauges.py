"""What the metrics are told of tables, channels and the way to a window."""

import asyncio
from pathlib import Path

import pytest

from agents.engine import gauges
from agents.engine.watermarks import GONE_MS, Watermarks
from streams.events import CountersSampled, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.metrics import OLD_S, Metrics
from tests.agents.working import PARTITIONS, append, drafts_of, working
from tests.patience import PATIENCE_S
from tests.streams.sources.manual_clock import ManualClock

NOW_MS = 1_760_000_000_000
DELAY = "analyticbot_watermark_delay_seconds"


def _told(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_the_worst_and_the_median_channel_of_a_partition() -> None:
    watermarks, metrics = Watermarks(), Metrics()
    for channel, ago_s in enumerate((1, 2, 3, 4, 50)):
        watermarks.put(0, ChannelId(channel), NOW_MS - ago_s * 1000)
    watermarks.put(1, ChannelId(9), NOW_MS + 5)
    watermarks.tell(metrics, NOW_MS)
    assert _told(metrics, DELAY, partition="0", of="median") == 3
    assert _told(metrics, DELAY, partition="0", of="worst") == 50
    assert _told(metrics, DELAY, partition="1", of="worst") == 0


def test_a_channel_that_nobody_observes_any_more_is_forgotten() -> None:
    watermarks, metrics = Watermarks(), Metrics()
    watermarks.put(0, ChannelId(1), NOW_MS)
    watermarks.put(0, ChannelId(2), NOW_MS - GONE_MS + 1000)
    watermarks.tell(metrics, NOW_MS)
    assert _told(metrics, DELAY, partition="0", of="worst") == OLD_S - 1
    watermarks.tell(metrics, NOW_MS + 1000)
    assert _told(metrics, DELAY, partition="0", of="worst") == 1


def test_partitions_that_went_elsewhere_are_told_no_more() -> None:
    watermarks, metrics = Watermarks(), Metrics()
    watermarks.put(0, ChannelId(1), NOW_MS)
    watermarks.tell(metrics, NOW_MS)
    watermarks.clear()
    watermarks.tell(metrics, NOW_MS)
    assert _told(metrics, DELAY, partition="0", of="worst") is None


def test_what_was_on_its_way_for_days_does_not_count() -> None:
    metrics = Metrics()
    metrics.arrived("window", -3)
    metrics.arrived("window", OLD_S - 1)
    metrics.arrived("window", OLD_S)
    assert _told(metrics, "analyticbot_end_to_end_seconds_count", to="window") == 2
    assert _told(metrics, "analyticbot_end_to_end_seconds_sum", to="window") == OLD_S - 1


async def test_a_worker_tells_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "EVERY_S", 0.02)
    posts = [Post(PostId(1 + n), NOW_MS, views=5 if n < 3 else None) for n in range(5)]
    seen = PostsSeen(channel_id=ChannelId(7), observed_at_ms=NOW_MS, posts=posts)
    sampled = [
        CountersSampled(
            channel_id=ChannelId(7), observed_at_ms=NOW_MS + n, post_ids=[PostId(1)], views=[9 + n]
        )
        for n in range(31)
    ]
    async with working(tmp_path / "log", clock=ManualClock(NOW_MS + 2_000)) as work:
        await append(work.log, drafts_of([seen, *sampled]))
        await work.settled()
        metrics = work.metrics

        def rows() -> float | None:
            return _told(metrics, "analyticbot_table_rows", table="posts")

        def is_told() -> bool:
            # Rows are counted as they are put, bytes as they are committed.
            has_bytes = _told(metrics, "analyticbot_table_bytes")
            return bool(rows() and has_bytes and _delays(metrics) == {"1.97"})

        async with asyncio.timeout(PATIENCE_S):
            while not is_told():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert _told(metrics, "analyticbot_samples_total", stage="updates") == 3 + 31
        assert _told(metrics, "analyticbot_table_rows", table="channels") == 1
        assert _told(metrics, "analyticbot_tasks", state="active") == PARTITIONS
        assert (_told(metrics, "analyticbot_commit_seconds_count", stage="log") or 0) >= 1
        assert _told(metrics, "analyticbot_recovery_seconds_count") == 1
        # Of a batch its first message, which was two seconds on its way.
        assert _told(metrics, "analyticbot_end_to_end_seconds_count", to="window") == 1
        assert _told(metrics, "analyticbot_end_to_end_seconds_sum", to="window") == 2


def _delays(metrics: Metrics) -> set[str]:
    families = metrics.registry.collect()
    return {str(s.value) for f in families if f.name == DELAY for s in f.samples}
