"""A decision that joins a pipeline which has run: it is as if it had been there from the start."""

from collections.abc import Sequence

import msgspec
import pytest

from agents.engine.decision import Decision
from agents.engine.fills import TABLE, Fill, Fills
from agents.engine.ports import Table
from agents.pipeline import INPUTS, PIPELINE
from agents.spikes.row import Spikes
from streams.codec import encode
from streams.events import Event, Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.topics import ALERTS, UPDATES, WINDOWS, channel_key
from tables.rows import RowDecoder
from tests.agents.counts import COUNTS
from tests.agents.in_memory import InMemory
from tests.agents.proofs import WORDS, Word
from tests.agents.test_decisions import taking_off
from tests.agents.working import recorded_events
from tests.laws.decision import feed
from tests.streams.sources.manual_clock import ManualClock

_, SPIKES = PIPELINE
#: Does what `spikes` does, in a table of its own.
TWIN = msgspec.structs.replace(SPIKES, name="twin", tables=(Table("twins", Spikes),))
WITH_TWIN = (*PIPELINE, TWIN)

_word = RowDecoder(Word)


def events() -> list[Event]:
    """Of recorded channels, and of one that takes off in the first half."""
    found = [*recorded_events()[:400], *taking_off(7)]
    return sorted(found, key=lambda event: event.observed_at_ms)


def run_of(pipeline: Sequence[Decision], before: InMemory | None = None) -> InMemory:
    return InMemory(pipeline, INPUTS, ManualClock(2**41), before=before)


def ran(pipeline: Sequence[Decision], fed: Sequence[Event]) -> InMemory:
    run = run_of(pipeline)
    feed(run, fed)
    run.run()
    return run


def fills(run: InMemory) -> dict[str, Fill]:
    found = RowDecoder(Fills)(run.tables[TABLE.name][b"0"]).fills
    return {place.partition("@")[0]: fill for place, fill in found.items()}


def rows(run: InMemory, table: str) -> dict[bytes, bytes]:
    return dict(run.tables[table])


@pytest.fixture(scope="module")
def halves() -> tuple[list[Event], list[Event]]:
    found = events()
    return found[: len(found) // 2], found[len(found) // 2 :]


Halves = tuple[list[Event], list[Event]]


async def test_on_a_new_installation_everything_is_live_at_once(halves: Halves) -> None:
    run = ran(WITH_TWIN, halves[0])
    assert {fill.state for fill in fills(run).values()} == {"live"}
    assert rows(run, "twins") == rows(run, "spikes")
    assert not await run.filling.round()


async def test_what_ran_before_fills_were_known_is_not_filled(halves: Halves) -> None:
    before = ran(PIPELINE, halves[0])
    del before.tables[TABLE.name]
    expected = rows(before, "spikes")
    run = run_of(WITH_TWIN, before)
    await run.fill()
    assert rows(run, "spikes") == rows(run, "twins") == expected


async def test_a_new_decision_is_filled_from_the_log_and_sends_nothing(halves: Halves) -> None:
    before = ran(PIPELINE, [*halves[0], *halves[1]])
    alerts = len(before.topics[ALERTS.name])
    assert alerts
    run = run_of(WITH_TWIN, before)
    await run.fill()
    assert rows(run, "twins") == rows(run, "spikes") != {}
    assert len(run.topics[ALERTS.name]) == alerts
    assert fills(run)["twin"].state == "live"
    assert (
        run.metrics.registry.get_sample_value("analyticbot_fill_messages", {"decision": "twin"})
        == 0
    )


@pytest.mark.parametrize("turns", [1, 3, 7])
async def test_it_takes_over_exactly_where_the_live_ones_are(halves: Halves, turns: int) -> None:
    """Messages come in while it is filled; the process restarts in between."""
    run = run_of((*WITH_TWIN, COUNTS), ran(PIPELINE, halves[0]))
    live, size = list(halves[1]), len(halves[1]) // turns + 1
    while live:
        await run.filling.round()
        feed(run, live[:size])
        del live[:size]
        run.run()
        run.restart()
    await run.fill()
    assert rows(run, "twins") == rows(run, "spikes")
    once = ran((COUNTS,), [*halves[0], *halves[1]])
    assert rows(run, "counts") == rows(once, "counts") != {}


async def test_a_fill_that_is_ahead_of_the_live_position_takes_nothing_twice(
    halves: Halves,
) -> None:
    """The log holds more than the live decisions have taken, as after an outage."""
    before = ran(PIPELINE, halves[0])
    feed(before, halves[1])
    run = run_of((*PIPELINE, COUNTS), before)
    await run.fill()
    run.restart()
    run.run(lambda left: min(left, 7))
    once = ran((COUNTS,), [*halves[0], *halves[1]])
    assert rows(run, "counts") == rows(once, "counts")


async def test_one_that_wants_nothing_of_the_past_is_live_at_once(halves: Halves) -> None:
    today = msgspec.structs.replace(COUNTS, fill="nothing")
    run = run_of((*PIPELINE, today), ran(PIPELINE, halves[0]))
    feed(run, taking_off(9))
    run.run()
    assert set(rows(run, "counts")) == {channel_key(taking_off(9)[0].channel_id)}
    assert not await run.filling.round()


async def test_one_that_was_taken_out_and_comes_back_forgets_and_is_filled(
    halves: Halves,
) -> None:
    with_counts, without = (*PIPELINE, COUNTS), PIPELINE
    run = run_of(without, ran(with_counts, halves[0]))
    feed(run, halves[1])
    run.run()
    assert "counts" not in fills(run)
    run = run_of(with_counts, run)
    await run.fill()
    once = ran((COUNTS,), [*halves[0], *halves[1]])
    assert rows(run, "counts") == rows(once, "counts")


async def test_a_rebuild_forgets_the_rows_and_fills_them_again(halves: Halves) -> None:
    run = ran((*PIPELINE, COUNTS), halves[0])
    expected = rows(run, "counts")
    run.tables["counts"][channel_key(halves[0][0].channel_id)] = b"not a row"
    run.tables["counts"][b"404"] = b"of nobody"
    run.send(0, "analyticbot-counts-changelog", b"404", b"of nobody", 0, {})
    run.restart()
    run.rebuilds.note("counts", 5)
    assert await run.filling.round()
    assert fills(run)["counts"].rebuild_ms == 5
    await run.fill()
    assert rows(run, "counts") == expected
    assert not await run.filling.round()


async def test_what_is_a_dead_letter_when_it_comes_is_none_again(halves: Halves) -> None:
    before = run_of(PIPELINE)
    before.append(UPDATES.name, b"7", b"\xc1", 0)
    respelled = msgspec.structs.replace(taking_off(7)[0], channel_id=-1_000_000_000_007)
    before.append(UPDATES.name, b"7", encode(respelled), 0)
    before.append(WINDOWS.name, b"7", b"\xc1", 0)
    feed(before, halves[0])
    before.run()
    sent = {topic: len(records) for topic, records in before.topics.items()}
    run = run_of((*WITH_TWIN, COUNTS), before)
    await run.fill()
    now = {topic: len(records) for topic, records in run.topics.items() if topic in sent}
    changed = {topic for topic, records in now.items() if records != sent[topic]}
    assert changed <= {"analyticbot-fills-changelog"}
    assert rows(run, "twins") == rows(run, "spikes")


async def test_what_a_fill_forwards_is_folded_and_leads_to_nothing(halves: Halves) -> None:
    """A decision with keys of its own: its past goes through its topic, marked."""
    before = ran(PIPELINE, halves[0])
    alerts = len(before.topics[ALERTS.name])
    run = run_of((*PIPELINE, WORDS), before)
    await run.fill()
    run.run()
    once = ran((*PIPELINE, WORDS), halves[0])
    words = {key: _word(row).posts for key, row in rows(run, "words").items()}
    assert words == {key: _word(row).posts for key, row in rows(once, "words").items()} != {}
    assert len(run.topics[ALERTS.name]) == alerts
    post = Post(PostId(900), taking_off(7)[-1].observed_at_ms, "something unheard")
    head = {"channel_id": ChannelId(7), "observed_at_ms": post.date_ms}
    feed(run, [PostsSeen(posts=[post], **head)])
    run.run()
    assert len(run.topics[ALERTS.name]) == alerts + 2
