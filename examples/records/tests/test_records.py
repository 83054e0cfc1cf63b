"""What is a record; and the laws of decisions, run on this one.

The laws are in AnalyticBot's repository: `PYTHONPATH=/path/to/analyticbot python -m pytest`.
"""

from collections.abc import Sequence

import pytest
from analyticbot_records.agent import RECORDS
from analyticbot_records.row import Best
from analyticbot_records.rule import put_record

from analyticbot.decisions import ChannelId, Decision, PostId, StepContext, analytics, events

T = 1_760_000_040_000
MINUTE_MS = 60_000


def window(minute: int, views: int | None, *, closed: bool = True) -> analytics.ActivityWindow:
    start_ms = T + minute * MINUTE_MS
    return analytics.ActivityWindow(
        channel_id=ChannelId(7),
        observed_at_ms=start_ms + 30_000,
        start_ms=start_ms,
        views_gained=views,
        closed=closed,
    )


def test_only_a_better_closed_minute_is_a_record() -> None:
    row = Best()
    gains = (window(0, 5), window(1, 9, closed=False), window(2, None), window(3, 5), window(4, 6))
    sent = [put_record(row, each, StepContext(offset)) for offset, each in enumerate(gains)]
    assert [[record.views_gained for record in records] for records in sent] == [
        [5], [], [], [], [6],
    ]  # fmt: skip


def test_a_replayed_window_sends_the_record_as_it_stands() -> None:
    row = Best()
    for offset, each in enumerate((window(0, 5), window(1, 9))):
        put_record(row, each, StepContext(offset))
    [again] = put_record(row, window(0, 5), StepContext(0))
    assert (again.start_ms, again.views_gained) == (T + MINUTE_MS, 9)


laws = pytest.importorskip("tests.laws.decision", reason="AnalyticBot's repository is needed")


class TestRecords(laws.DecisionLaws):  # type: ignore[misc,name-defined]
    @pytest.fixture
    def decision(self) -> Decision:
        return RECORDS

    @pytest.fixture
    def pipeline(self) -> Sequence[Decision]:
        from agents.pipeline import PIPELINE

        return (*PIPELINE, RECORDS)

    @pytest.fixture
    def inputs(self) -> Sequence[object]:
        from agents.pipeline import INPUTS

        return INPUTS

    @pytest.fixture(scope="class")
    @classmethod
    def events(cls) -> Sequence[events.Event]:
        """Two channels, sampled every minute for two hours."""
        made: list[events.Event] = []
        for channel_id in (ChannelId(7), ChannelId(8)):
            posts = [events.Post(PostId(1), T)]
            made.append(events.PostsSeen(channel_id=channel_id, observed_at_ms=T, posts=posts))
            views = 0
            for minute in range(1, 120):
                views += minute * 7 % 40
                made.append(
                    events.CountersSampled(
                        channel_id=channel_id,
                        observed_at_ms=T + minute * MINUTE_MS,
                        post_ids=[PostId(1)],
                        views=[views],
                    )
                )
        return sorted(made, key=lambda event: event.observed_at_ms)
