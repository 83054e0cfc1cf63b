"""Events and decisions as rows; pure, without a store."""

import msgspec

from clickhouse.history import Insert
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows
from streams.analytics import (
    ActivityWindow,
    Analytics,
    LateSamples,
    PostCounters,
    SubscribersWindow,
)
from streams.events import (
    ChannelStatus,
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
)
from streams.ids import ChannelId, PostId
from streams.units import HOUR_MS

DUROV = ChannelId(1_006_503_122)


def observed(*events: Event) -> dict[str, Insert]:
    rows = ObservedRows()
    for event in events:
        rows.take(event)
    inserts = rows.inserts("token")
    assert all(insert.token == "token" for insert in inserts)
    lengths = {len(column) for insert in inserts for column in insert.columns.values()}
    assert 0 not in lengths
    return {insert.table: insert for insert in inserts}


def decided(*messages: Analytics) -> dict[str, Insert]:
    rows = DecidedRows()
    for message in messages:
        rows.take(message)
    return {insert.table: insert for insert in rows.inserts("token", 7)}


def window(minute: int, at_ms: int = 0, gained: int = 1, *, closed: bool = False) -> ActivityWindow:
    return ActivityWindow(
        channel_id=DUROV,
        observed_at_ms=at_ms,
        start_ms=minute * 60_000,
        views_gained=gained,
        closed=closed,
    )


def seen(dates_ms: list[int], at_ms: int, source: str, since_ms: int | None = None) -> PostsSeen:
    return PostsSeen(
        channel_id=DUROV,
        observed_at_ms=at_ms,
        source=source,
        posts=[Post(PostId(i + 1), date_ms) for i, date_ms in enumerate(dates_ms)],
        complete_since_ms=since_ms,
    )


def test_what_a_collector_reads_is_one_reading_and_a_recording_says_its_own() -> None:
    tables = observed(
        seen([50, 40], 100, "telegram"),
        seen([10], 90, "telegram"),
        seen([5], 60, "recording", 5),
        seen([8], 80, "recording", 5),
        seen([500], 600, "recording", 500),
        # Nobody knows what an import leaves out, if it does not say so.
        seen([1], 2, "import"),
        seen([3], 4, "import", 3),
    )
    columns = tables["read_spans"].columns
    assert list(
        zip(*(columns[n] for n in ("source", "reading", "since", "until_at")), strict=True)
    ) == [
        ("telegram", 0, 10, 100),
        ("recording", 5, 5, 80),
        ("recording", 500, 500, 600),
        ("import", 3, 3, 4),
    ]


def test_a_reaction_to_an_old_post_says_nothing_of_what_was_read() -> None:
    day_ms = 24 * HOUR_MS
    assert "read_spans" in observed(seen([0], day_ms, "telegram"))
    assert "read_spans" not in observed(seen([0], day_ms + 1, "telegram"))
    assert "read_spans" in observed(seen([0, 1], 9 * day_ms, "telegram"))


def test_an_edit_of_an_old_post_says_nothing_of_what_was_read() -> None:
    edit = PostsEdited(channel_id=DUROV, observed_at_ms=9, posts=[Post(PostId(1), 1)])
    assert "read_spans" not in observed(edit)


def test_a_sample_is_a_row_a_post_and_unknown_columns_are_none() -> None:
    sample = CountersSampled(
        channel_id=DUROV,
        observed_at_ms=5,
        post_ids=[PostId(1), PostId(2)],
        views=[10, None],
        replies=[0, 3],
    )
    columns = observed(sample)["post_samples"].columns
    assert list(columns["channel_id"]) == [DUROV, DUROV]
    assert list(columns["post_id"]) == [1, 2]
    assert list(columns["views"]) == [10, None]
    assert list(columns["forwards"]) == [None, None]
    assert list(columns["replies"]) == [0, 3]


def test_a_post_without_counters_is_no_sample() -> None:
    posts = [Post(PostId(1), 1), Post(PostId(2), 1, reactions={}), Post(PostId(3), 1, views=0)]
    tables = observed(PostsSeen(channel_id=DUROV, observed_at_ms=5, posts=posts))
    assert list(tables["post_samples"].columns["post_id"]) == [2, 3]
    assert list(tables["post_samples"].columns["reactions"]) == [0, None]


def test_reactions_are_added_up() -> None:
    post = Post(PostId(1), 1, reactions={"👍": 2, "paid": 5})
    tables = observed(PostsSeen(channel_id=DUROV, observed_at_ms=5, posts=[post]))
    assert list(tables["post_samples"].columns["reactions"]) == [7]


def test_edited_is_what_was_edited_or_says_so() -> None:
    plain, dated = Post(PostId(1), 1), Post(PostId(2), 1, edit_date_ms=4)
    seen = PostsSeen(channel_id=DUROV, observed_at_ms=5, posts=[plain, dated])
    edited = PostsEdited(channel_id=DUROV, observed_at_ms=6, posts=[plain])
    assert list(observed(seen, edited)["posts"].columns["edited"]) == [False, True, True]


def test_an_album_id_beyond_64_bits_is_not_kept() -> None:
    post = Post(PostId(1), 1, album_id=2**64 - 1)
    tables = observed(PostsSeen(channel_id=DUROV, observed_at_ms=5, posts=[post]))
    assert list(tables["posts"].columns["album_id"]) == [None]


def test_hours_say_who_observed_what_and_when() -> None:
    tables = observed(
        CountersSampled(channel_id=DUROV, observed_at_ms=HOUR_MS + 9, post_ids=[PostId(1)]),
        CountersSampled(channel_id=DUROV, observed_at_ms=HOUR_MS + 2, post_ids=[PostId(1)]),
        PostsDeleted(channel_id=DUROV, observed_at_ms=HOUR_MS, post_ids=[PostId(1)]),
        ChannelStatus(channel_id=DUROV, observed_at_ms=HOUR_MS, status="live"),
    )
    columns = tables["observed_hours"].columns
    assert list(columns["what"]) == ["counters", "posts", "channel"]
    assert list(columns["hour"]) == [3600, 3600, 3600]
    assert list(columns["first_at"]) == [HOUR_MS + 2, HOUR_MS, HOUR_MS]
    assert list(columns["last_at"]) == [HOUR_MS + 9, HOUR_MS, HOUR_MS]


def test_that_a_channel_cannot_be_observed_is_no_observation() -> None:
    rows = ObservedRows()
    for status in ("live", "private", "away", "waiting"):
        rows.take(ChannelStatus(channel_id=DUROV, observed_at_ms=5, status=status))
    assert len(rows) == 1


def test_of_a_window_the_newest_is_kept() -> None:
    columns = decided(window(1, 5, 10), window(1, 6, 12), window(2, 1, 3))["windows"].columns
    assert list(columns["views_gained"]) == [12, 3]
    assert list(columns["batch"]) == [7, 7]


def test_a_closed_window_stays_closed() -> None:
    late = window(1, 9, 11)
    columns = decided(window(1, 5, 12, closed=True), late)["windows"].columns
    assert list(columns["views_gained"]) == [12]
    assert list(columns["closed"]) == [True]


def test_a_window_says_which_time_it_rests_on() -> None:
    sampled = msgspec.structs.replace(window(1, 5), sampled_from_ms=59_000, sampled_to_ms=61_000)
    columns = decided(sampled, window(2, 6))["windows"].columns
    assert list(columns["sampled_from"]) == [59_000, None]
    assert list(columns["sampled_to"]) == [61_000, None]


def test_late_samples_are_a_row_a_message() -> None:
    late = LateSamples(channel_id=DUROV, observed_at_ms=9, offset=12, from_ms=3, to_ms=7, samples=2)
    other = msgspec.structs.replace(late, offset=13)
    columns = decided(late, other, late)["late_samples"].columns
    assert {name: list(values) for name, values in columns.items()} == {
        "channel_id": [DUROV, DUROV],
        "offset": [12, 13],
        "from_at": [3, 3],
        "to_at": [7, 7],
        "samples": [2, 2],
        "observed_at": [9, 9],
    }


def test_windows_up_to_the_mark_are_dropped() -> None:
    rows = DecidedRows()
    for minute in range(5):
        rows.take(window(minute, closed=minute < 3))
    assert rows.drop_closed({DUROV: 60_000}) == 2
    [insert] = rows.inserts("token", 7)
    assert list(insert.columns["start"]) == [120, 180, 240]
    assert rows.closed_marks() == {DUROV: 120_000}
    assert rows.drop_closed({ChannelId(1): 10**15}) == 0


def test_what_history_works_out_itself_is_not_kept() -> None:
    counters = PostCounters(
        channel_id=DUROV,
        observed_at_ms=1,
        post_ids=[PostId(1)],
        dates_ms=[1],
        views=[1],
        forwards=[1],
        replies=[1],
        reactions=[1],
    )
    subscribers = SubscribersWindow(
        channel_id=DUROV,
        observed_at_ms=1,
        start_ms=0,
        size_ms=60_000,
        first=1,
        last=1,
        low=1,
        high=1,
        samples=1,
    )
    assert decided(counters, subscribers) == {}
