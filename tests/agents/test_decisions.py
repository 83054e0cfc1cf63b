"""The laws of decisions, for each of the pipeline; and what the engine does with several."""

from collections.abc import Sequence

import msgspec
import pytest

from agents.engine.decision import Decision, Input
from agents.engine.ports import Table
from agents.engine.step_context import StepContext
from agents.pipeline import INPUTS, PIPELINE
from agents.spikes.row import Spikes
from streams.analytics import ActivityWindow
from streams.codec import decode_analytics
from streams.events import CountersSampled, Event, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.kinds import upsert_key
from streams.topics import ALERTS, UPDATES, WINDOWS
from streams.units import MINUTE_MS
from tests.agents.in_memory import InMemory
from tests.agents.proofs import JOINED, WORDS
from tests.agents.quiet import QUIET
from tests.agents.working import recorded_events
from tests.laws.decision import DecisionLaws, feed
from tests.streams.sources.manual_clock import ManualClock

T = 1_760_000_040_000


def taking_off(channel: int) -> list[Event]:
    """A channel in which a post takes off after an hour."""
    channel_id, posts = ChannelId(channel), [Post(PostId(1), T), Post(PostId(2), T)]
    events: list[Event] = [PostsSeen(channel_id=channel_id, observed_at_ms=T, posts=posts)]
    views = 0
    for minute in range(1, 120):
        views += 2_000 if 80 <= minute < 90 else 20
        events.append(
            CountersSampled(
                channel_id=channel_id,
                observed_at_ms=T + minute * MINUTE_MS,
                post_ids=[PostId(1), PostId(2)],
                views=[views, minute * 10],
            )
        )
    return events


@pytest.fixture(scope="module")
def events() -> Sequence[Event]:
    """Recorded channels, and made ones of which a post takes off."""
    made = [event for channel in (7, 8) for event in taking_off(channel)]
    events = [*recorded_events()[:800], *made]
    return sorted(events, key=lambda event: event.observed_at_ms)


@pytest.mark.parametrize(
    "decision", [*PIPELINE, WORDS, JOINED, QUIET], ids=lambda decision: decision.name
)
class TestDecisions(DecisionLaws):
    @pytest.fixture
    def pipeline(self, decision: Decision) -> Sequence[Decision]:
        return PIPELINE if decision in PIPELINE else (*PIPELINE, decision)

    @pytest.fixture
    def inputs(self) -> Sequence[Input]:
        return INPUTS


def test_decisions_on_one_topic_bury_a_message_once() -> None:
    [spikes] = [decision for decision in PIPELINE if decision.name == "spikes"]
    twin = msgspec.structs.replace(spikes, name="twin", tables=(Table("twins", Spikes),))
    run = InMemory((*PIPELINE, twin), INPUTS, ManualClock(2**41))
    run.append(WINDOWS.name, b"7", b"\xc1", T)
    feed(run, taking_off(7))
    run.run()
    [dead] = run.topics[WINDOWS.dead]
    assert (dead.value, dead.headers["offset"]) == (b"\xc1", b"0")
    assert run.tables["twins"] == run.tables["spikes"]
    alerts = [decode_analytics(record.value or b"") for record in run.topics[ALERTS.name]]
    # Both say the same, under the same key.
    assert len(alerts) == 2 * len(set(map(msgspec.json.encode, alerts))) > 0
    assert {upsert_key(alert) for alert in alerts} == {upsert_key(alerts[0])}


def test_a_decision_sees_only_the_kinds_that_it_takes() -> None:
    seen: list[type] = []

    def see(row: Spikes, message: object, context: StepContext) -> Sequence[object]:
        seen.append(type(message))
        return ()

    [updates, spikes] = PIPELINE
    watching = msgspec.structs.replace(spikes, steps=(see,))
    run = InMemory((updates, watching), INPUTS, ManualClock(2**41))
    feed(run, taking_off(7))
    run.run()
    assert set(seen) == {ActivityWindow}
    seen.clear()
    alone = msgspec.structs.replace(watching, reads=(UPDATES,), kinds=(PostsSeen,))
    observed = InMemory((alone,), INPUTS, ManualClock(2**41))
    feed(observed, taking_off(7))
    observed.run()
    assert seen == [PostsSeen]
    kinds = {type(decode_analytics(record.value or b"")) for record in run.topics[WINDOWS.name]}
    assert len(kinds) > 2
