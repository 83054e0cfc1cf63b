"""What a recording means as events: order, sizes, and each row exactly once."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.events import (
    MAX_POSTS,
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsSeen,
    SubscribersSampled,
)
from streams.limits import SKEW_MS
from streams.recording import Recording
from streams.sources.recorded_events import events_of

START_MS = 1_735_689_600_000


def at(minute: int) -> str:
    return f"2025-01-01T{minute // 60:02}:{minute % 60:02}:00Z"


def ms(minute: int) -> int:
    return START_MS + minute * 60_000


ISO = {ms(minute): at(minute) for minute in range(60)}
minutes = st.integers(0, 59).map(at)


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> None:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def events(folder: Path, **files: list[dict[str, object]]) -> list[Event]:
    for name, rows in files.items():
        write(folder, f"{name}.jsonl", rows)
    return list(events_of(Recording(folder)))


def test_a_post_without_counters_is_seen_at_its_date(tmp_path: Path) -> None:
    row = {"channel": "id7", "message_id": 1, "date": at(5), "text": "hello", "views": 3}
    assert events(tmp_path, posts=[row]) == [
        PostsSeen(
            channel_id=7,
            observed_at_ms=ms(5),
            source="recording",
            posts=[Post(post_id=1, date_ms=ms(5), text="hello")],
            complete_since_ms=ms(5),
        )
    ]


def test_a_post_with_counters_is_seen_with_them_when_they_were_read(tmp_path: Path) -> None:
    row = {"channel": "id7", "message_id": 1, "date": at(5), "views": 3, "sampled_at": at(9)}
    assert events(tmp_path, posts=[row]) == [
        PostsSeen(
            channel_id=7,
            observed_at_ms=ms(9),
            source="recording",
            posts=[Post(post_id=1, date_ms=ms(5), views=3)],
            complete_since_ms=ms(5),
        )
    ]


def test_a_sampled_post_is_seen_at_its_first_sample_and_its_own_counters_are_the_last(
    tmp_path: Path,
) -> None:
    post = {"channel": "id7", "message_id": 1, "date": at(5), "sampled_at": at(9)}
    samples = [
        {"channel": "id7", "message_id": 1, "sampled_at": at(minute), "views": views}
        for minute, views in ((8, 2), (6, 1))
    ]
    counters: dict[str, object] = {"views": 4, "forwards": 1, "reactions": {"a": 2, "b": 3}}
    found = events(tmp_path, posts=[{**post, **counters}], view_samples=samples)
    sampled = {"channel_id": 7, "source": "recording", "post_ids": [1]}
    assert found == [
        PostsSeen(
            channel_id=7,
            observed_at_ms=ms(6),
            source="recording",
            posts=[Post(post_id=1, date_ms=ms(5))],
            complete_since_ms=ms(5),
        ),
        CountersSampled(observed_at_ms=ms(6), views=[1], **sampled),
        CountersSampled(observed_at_ms=ms(8), views=[2], **sampled),
        CountersSampled(observed_at_ms=ms(9), views=[4], forwards=[1], reactions=[5], **sampled),
    ]


def test_every_message_says_from_when_on_the_posts_of_its_channel_are_all_there(
    tmp_path: Path,
) -> None:
    rows = [
        {"channel": channel, "message_id": number, "date": at(minute), "sampled_at": None}
        for channel, number, minute in (("id7", 2, 9), ("id7", 1, 5), ("id8", 1, 7))
    ]
    seen = [event for event in events(tmp_path, posts=rows) if isinstance(event, PostsSeen)]
    assert [(e.channel_id, e.complete_since_ms) for e in seen] == [
        (7, ms(5)),
        (8, ms(7)),
        (7, ms(5)),
    ]


def test_own_counters_and_a_sample_of_one_instant_are_one_sample(tmp_path: Path) -> None:
    post = {"channel": "id7", "message_id": 1, "date": at(5), "sampled_at": at(6)}
    sample = {"channel": "id7", "message_id": 1, "sampled_at": at(6), "views": 1}
    found = events(tmp_path, posts=[{**post, "views": 1, "replies": 0}], view_samples=[sample])
    assert [type(event) for event in found] == [PostsSeen, CountersSampled]
    assert isinstance(found[1], CountersSampled)
    assert (found[1].views, found[1].replies, found[1].forwards) == ([1], [0], None)


def test_counters_without_an_instant_do_not_hide_the_samples(tmp_path: Path) -> None:
    post = {"channel": "id7", "message_id": 1, "date": at(5), "views": 9}
    sample = {"channel": "id7", "message_id": 1, "sampled_at": at(6), "views": 1}
    seen, sampled = events(tmp_path, posts=[post], view_samples=[sample])
    assert (seen.observed_at_ms, sampled.observed_at_ms) == (ms(5), ms(6))


def test_a_channel_is_described_first_and_its_subscribers_are_taken_once(tmp_path: Path) -> None:
    channel = {
        "channel": "News",
        "channel_id": -1000000000007,
        "title": "The news",
        "subscribers": 90,
        "subscribers_at": at(3),
    }
    sample = {"channel": "id7", "sampled_at": at(3), "subscribers": 90}
    post = {"channel": "@news", "message_id": 1, "date": at(5)}
    described, subscribers, _ = events(
        tmp_path, channels=[channel], posts=[post], subscriber_samples=[sample]
    )
    assert described == ChannelDescribed(
        channel_id=7,
        observed_at_ms=ms(3),
        source="recording",
        title="The news",
        username="News",
    )
    assert subscribers == SubscribersSampled(
        channel_id=7, observed_at_ms=ms(3), source="recording", subscribers=90
    )


def test_a_channel_of_which_nothing_was_observed_has_no_event(tmp_path: Path) -> None:
    assert events(tmp_path, channels=[{"channel": "id7", "title": "Silent"}]) == []


def test_101_posts_of_one_instant_are_two_messages(tmp_path: Path) -> None:
    rows = [
        {"channel": "id7", "message_id": n, "date": at(n % 60), "views": n, "sampled_at": at(90)}
        for n in range(1, MAX_POSTS + 2)
    ]
    found = events(tmp_path, posts=rows)
    assert [len(event.posts) for event in found if isinstance(event, PostsSeen)] == [100, 1]


def is_after(date: str, sampled_at: str) -> bool:
    """By more than the clocks may lie apart."""
    of_minute = {iso: minute_ms for minute_ms, iso in ISO.items()}
    return bool(date) and of_minute[date] > of_minute[sampled_at] + SKEW_MS


KEYS = ("news", "@News", "id7", 7, "-1000000000007", "other", "id8")
posts_rows = st.lists(
    st.fixed_dictionaries(
        {"channel": st.sampled_from(KEYS), "message_id": st.integers(1, 5), "date": minutes},
        optional={"sampled_at": minutes, "views": st.integers(0, 9)},
    ),
    max_size=40,
)
sample_rows = st.lists(
    st.fixed_dictionaries(
        {
            "channel": st.sampled_from(KEYS),
            "message_id": st.integers(1, 7),
            "sampled_at": minutes,
            "views": st.integers(0, 9),
        }
    ),
    max_size=40,
)


@given(posts_rows, sample_rows)
@settings(deadline=None, max_examples=60)
def test_every_row_exactly_once_and_in_order(
    posts: list[dict[str, Any]], samples: list[dict[str, Any]]
) -> None:
    named = [{"channel": "news", "channel_id": 7}, {"channel": "other", "channel_id": 9}]
    with TemporaryDirectory() as folder:
        found = events(Path(folder), channels=named, posts=posts, view_samples=samples)
    ids = {"other": 9, "id8": 8}

    def key(row: dict[str, Any]) -> tuple[int, int]:
        return ids.get(row["channel"], 7), row["message_id"]

    # What says to be read before it was published is refused.
    posts = [row for row in posts if not is_after(row["date"], row.get("sampled_at", row["date"]))]
    dates: dict[tuple[int, int], str] = {}
    for row in posts:
        dates[key(row)] = min(str(row["date"]), dates.get(key(row), "z"))
    samples = [row for row in samples if not is_after(dates.get(key(row), ""), row["sampled_at"])]
    seen = [(e.channel_id, p.post_id) for e in found if isinstance(e, PostsSeen) for p in e.posts]
    assert Counter(seen) == Counter(map(key, posts))
    expected = {(*key(row), row["sampled_at"]) for row in samples}
    sampled_posts = {each[:2] for each in expected}
    expected |= {
        (*key(row), row["sampled_at"])
        for row in posts
        if key(row) in sampled_posts and "sampled_at" in row and "views" in row
    }
    sampled = [e for e in found if isinstance(e, CountersSampled)]
    keys = [(e.channel_id, i, ISO[e.observed_at_ms]) for e in sampled for i in e.post_ids]
    assert len(keys) == len(set(keys))
    assert set(keys) == expected
    instants = [event.observed_at_ms for event in found]
    assert instants == sorted(instants)


REAL = Path(__file__).parents[4] / "shared" / "data" / "telegram"


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded channels are not beside the checkout")
def test_the_recorded_channels() -> None:
    found = list(events_of(Recording(REAL)))
    kinds = Counter(type(event).__name__ for event in found)
    assert kinds == {
        "PostsSeen": 22762,
        "CountersSampled": 2583,
        "SubscribersSampled": 181,
        "ChannelDescribed": 71,
    }
    assert sum(len(e.posts) for e in found if isinstance(e, PostsSeen)) == 31_986
    # 843 posts have counters of their own besides, 19 of them at the instant of a sample
    samples = sum(len(e.post_ids) for e in found if isinstance(e, CountersSampled))
    assert samples == 26_499 + 843 - 19
