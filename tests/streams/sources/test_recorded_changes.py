"""A recording of what changed: edits, names; and samples that do not go with their posts."""

from pathlib import Path

from streams.events import (
    ChannelDescribed,
    CountersSampled,
    Post,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.recording import Recording
from streams.sources.recorded_events import events_of
from tests.streams.sources.test_recorded_events import at, events, ms, write


def test_an_edit_after_the_sample_is_told_when_it_was_made(tmp_path: Path) -> None:
    row = {"channel": "id7", "message_id": 1, "date": at(5), "views": 3, "sampled_at": at(9)}
    head = {"channel_id": 7, "source": "recording"}
    since = {"complete_since_ms": ms(5)}
    assert events(tmp_path, posts=[{**row, "edit_date": at(30)}]) == [
        PostsSeen(observed_at_ms=ms(9), posts=[Post(1, ms(5), views=3)], **since, **head),
        PostsEdited(observed_at_ms=ms(30), posts=[Post(1, ms(5), edit_date_ms=ms(30))], **head),
    ]
    assert events(tmp_path, posts=[{**row, "edit_date": at(8)}]) == [
        PostsSeen(
            observed_at_ms=ms(9),
            posts=[Post(1, ms(5), edit_date_ms=ms(8), views=3)],
            **since,
            **head,
        )
    ]


def test_the_versions_of_an_edited_post_come_in_their_order(tmp_path: Path) -> None:
    post = {"channel": "id7", "message_id": 1, "date": at(0)}
    rows = [
        {**post, "text": "v1", "views": 1, "sampled_at": at(1)},
        {**post, "text": "v2", "edit_date": at(5), "views": 5, "sampled_at": at(6)},
        {**post, "text": "v2", "edit_date": at(5), "views": 9, "sampled_at": at(7)},
    ]
    found = [post for event in events(tmp_path, posts=rows) for post in event.posts]
    assert [(p.text, p.edit_date_ms, p.views) for p in found] == [
        ("v1", None, 1),
        ("v2", ms(5), 5),
        ("v2", ms(5), 9),
    ]


def test_a_sample_from_before_its_post_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    post = {"channel": "id7", "message_id": 1, "date": at(30)}
    sample = {"channel": "id7", "message_id": 1, "views": 1}
    write(tmp_path, "posts.jsonl", [post])
    write(
        tmp_path,
        "view_samples.jsonl",
        [{**sample, "sampled_at": at(minute)} for minute in (24, 25, 31)],
    )
    recording = Recording(tmp_path)
    sampled = [e for e in events_of(recording) if isinstance(e, CountersSampled)]
    assert [event.observed_at_ms for event in sampled] == [ms(25), ms(31)]
    [problem] = recording.problems
    assert str(problem).startswith(
        "view_samples.jsonl:1: sampled_at: 2025-01-01T00:24:00+00:00 is before the date of its post"
    )


def test_samples_of_a_post_that_no_row_tells_are_taken_and_counted(tmp_path: Path) -> None:
    write(tmp_path, "posts.jsonl", [{"channel": "id7", "message_id": 1, "date": at(0)}])
    sample = {"channel": "id7", "sampled_at": at(1), "views": 1}
    rows = [{**sample, "message_id": n} for n in (1, 2, 2, 3)]
    write(tmp_path, "view_samples.jsonl", rows)
    recording = Recording(tmp_path)
    [sampled] = [e for e in events_of(recording) if isinstance(e, CountersSampled)]
    assert sampled.post_ids == [1, 2, 3]
    _, tally = recording.tallies
    assert (tally.rows, tally.of_unknown_posts, tally.merged) == (4, 3, 1)


def test_a_channel_is_described_again_when_it_is_called_something_else(tmp_path: Path) -> None:
    row = {"channel": "id7", "title": "News"}
    rows = [
        {**row, "username": "second", "subscribers": 9, "subscribers_at": at(9)},
        {**row, "username": "first", "subscribers": 5, "subscribers_at": at(5)},
        {**row, "username": "second", "subscribers": 11, "subscribers_at": at(11)},
    ]
    found = events(tmp_path, channels=rows)
    described = [e for e in found if isinstance(e, ChannelDescribed)]
    assert [(e.observed_at_ms, e.username) for e in described] == [
        (ms(5), "first"),
        (ms(9), "second"),
    ]
    sampled = [e.subscribers for e in found if isinstance(e, SubscribersSampled)]
    assert sampled == [5, 9, 11]
