"""A decision that is filled where the log has removed its beginning: history has the rest."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from agents.engine.fills import NOTHING_RECALLED, TABLE, Fills, place_of
from agents.engine.recalling import ArchiveUnavailable
from agents.history.archive import Archive
from agents.history.batch import HistoryBatch
from agents.history.pending import Held
from agents.pipeline import INPUTS, PIPELINE
from agents.updates.buckets import Bucket
from agents.updates.channel import Channel
from clickhouse.history import History
from clickhouse.opening import open_history
from streams.events import CountersSampled, Event, Post, PostsDeleted, PostsSeen, SubscribersSampled
from streams.ids import ChannelId, PostId
from streams.log import Batch, Partition, Record
from streams.topics import UPDATES, channel_key
from streams.units import MINUTE_MS
from tables.rows import RowDecoder
from tests.agents.counts import COUNTS, Count
from tests.agents.in_memory import InMemory
from tests.agents.test_decisions import taking_off
from tests.laws.decision import feed
from tests.streams.sources.manual_clock import ManualClock

HERE = Partition(UPDATES.name, 0)
T = 1_760_000_040_000

_channel, _bucket, _count = RowDecoder(Channel), RowDecoder(Bucket), RowDecoder(Count)


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    history = await open_history(f"chdb://{tmp_path}/history")
    await history.migrate()
    yield history
    await history.close()


def events() -> list[Event]:
    """Of three channels; in the first some posts are deleted, the other two take off."""
    channel, ids = ChannelId(5), [PostId(n) for n in range(1, 131)]
    at = [T + minute * MINUTE_MS for minute in range(60)]
    head = {"channel_id": channel}
    found: list[Event] = [
        PostsSeen(observed_at_ms=at[0], posts=[Post(n, T - n * 1000) for n in ids[:100]], **head),
        PostsSeen(observed_at_ms=at[1], posts=[Post(n, T - n * 1000) for n in ids[100:]], **head),
        PostsDeleted(observed_at_ms=at[20], post_ids=ids[3:5], **head),
        *(SubscribersSampled(observed_at_ms=ms, subscribers=ms // 1000 % 977, **head) for ms in at),
        *(
            CountersSampled(observed_at_ms=ms, post_ids=ids[:100], views=[ms // 7000] * 100, **head)
            for ms in at
        ),
        *taking_off(7),
        *taking_off(8),
    ]
    return sorted(found, key=lambda event: event.observed_at_ms)


async def store(history: History, records: Sequence[Record], upto: int) -> None:
    batch = HistoryBatch()
    batch.take(Batch(HERE, list(records)[:upto]))
    for insert in batch.inserts():
        await history.insert(insert)
    moved = Held({}, upto).moved({HERE: upto})
    assert moved is not None
    await history.insert(moved)


def ran(fed: Sequence[Event]) -> InMemory:
    """The pipeline without COUNTS has processed it all; each message was appended at once."""
    run = InMemory(PIPELINE, INPUTS, ManualClock(2**41))
    feed(run, fed)
    records = run.topics[UPDATES.name]
    records[:] = [one._replace(appended_ms=one.timestamp_ms) for one in records]
    run.run()
    return run


def upgraded(before: InMemory, archive: Archive, removed: int) -> InMemory:
    run = InMemory((*PIPELINE, COUNTS), INPUTS, ManualClock(2**41), before=before, archive=archive)
    run.removed[UPDATES.name] = removed
    return run


async def test_a_rebuild_takes_from_history_what_the_log_has_removed(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ran(events())
    records, half = before.topics[UPDATES.name], len(events()) // 2
    await store(history, records, len(records))
    rows = {name: dict(before.tables[name]) for name in ("channels", "posts", "shelves")}
    archive = Archive(history)
    run = upgraded(before, archive, half)
    run.rebuilds.note("updates", 5)
    await run.fill()
    for key, stored in rows["channels"].items():
        found, expected = _channel(run.tables["channels"][key]), _channel(stored)
        for name in ("first_observed_ms", "watermark_ms", "sampled_ms", "minutes"):
            assert getattr(found, name) == getattr(expected, name), (key, name)
        assert found.facts.subscribers == expected.facts.subscribers
    assert run.tables["posts"].keys() == rows["posts"].keys()
    for key, stored in rows["posts"].items():
        of, of_expected = _bucket(run.tables["posts"][key]), _bucket(stored)
        for name in ("counters", "dates_ms", "deleted", "sampled_ms"):
            assert getattr(of, name) == getattr(of_expected, name), (key, name)
    pages = [await pages_of(archive, monkeypatch, rows=most) for most in (5_000, 150)]
    assert pages[0] == pages[1]
    instants = [one.timestamp_ms for one in pages[0] if one.key == channel_key(ChannelId(5))]
    assert instants == sorted(instants)


async def pages_of(archive: Archive, monkeypatch: pytest.MonkeyPatch, rows: int) -> list[Record]:
    """Everything, with so many rows to a question."""
    monkeypatch.setattr("agents.history.archive.ROWS", rows)
    after, found = NOTHING_RECALLED, list[Record]()
    while (page := await archive.page(HERE, 1, 2**41, after)).more:
        found += page.records
        after = int(page.records[-1].key or 0), page.records[-1].timestamp_ms, 0
    return found


async def test_each_message_comes_from_the_log_or_from_history(history: History) -> None:
    """Some of what history has is in the log too; and more comes in meanwhile."""
    fed = [event for event in events() if isinstance(event, SubscribersSampled)]
    before = ran(fed[:50])
    records = before.topics[UPDATES.name]
    await store(history, records, 10)
    run = upgraded(before, Archive(history), 20)
    with pytest.raises(ArchiveUnavailable, match="has not stored what the log holds"):
        await run.fill()
    assert not run.tables["counts"]
    await store(history, records, 50)
    await run.filling.round()
    feed(run, fed[50:])
    run.run()
    await run.fill()
    [row] = run.tables["counts"].values()
    assert _count(row).messages == len(fed)
    fill = RowDecoder(Fills)(run.tables[TABLE.name][b"0"]).fills[place_of("counts", UPDATES.name)]
    assert (fill.state, fill.first, fill.since_ms) == ("live", 20, fed[20].observed_at_ms)
