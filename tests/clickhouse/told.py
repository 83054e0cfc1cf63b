"""A few days of two small channels, told by hand, so that the answers can be worked out by hand."""

from collections.abc import Sequence

from clickhouse.history import History
from clickhouse.rows import ObservedRows
from clickhouse.upserts import DecidedRows
from streams.analytics import ActivityWindow, Alert, Analytics, ChannelSummary, PostAge
from streams.events import (
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import ChannelId, PostId
from streams.units import DAY_MS, HOUR_MS, MINUTE_MS

NEWS = ChannelId(1_101_806_611)
QUIET = ChannelId(1_006_503_122)
#: Midnight of 2025-06-18 UTC, and the day that begins there.
START_MS = 1_750_204_800_000
END_MS = START_MS + DAY_MS


def at(hours: float) -> int:
    return START_MS + round(hours * HOUR_MS)


def _post(number: int, hours: float, text: str = "", **rest: int | str) -> Post:
    return Post(PostId(number), at(hours), text, **rest)  # type: ignore[arg-type]


def _seen(hours: float, *posts: Post) -> PostsSeen:
    return PostsSeen(channel_id=NEWS, observed_at_ms=at(hours), posts=list(posts))


def _sampled(hours: float, **columns: list[int | None]) -> CountersSampled:
    ids = [PostId(number) for number in columns.pop("ids") if number is not None]
    return CountersSampled(channel_id=NEWS, observed_at_ms=at(hours), post_ids=ids, **columns)


def _counted(hours: float, subscribers: int) -> SubscribersSampled:
    return SubscribersSampled(channel_id=NEWS, observed_at_ms=at(hours), subscribers=subscribers)


#: Posts 1 (plain), 2+3+4 (an album), 5 (deleted later), 6 (never sampled), 7 (the day before).
OBSERVED: Sequence[Event] = (
    ChannelDescribed(channel_id=NEWS, observed_at_ms=at(-20), title="News", username="NewsNow"),
    _counted(-10, 1000),
    _seen(-5, _post(7, -5, "yesterday", views=50)),
    _seen(1, _post(1, 1, "one", views=0, forwards=0)),
    _seen(2, _post(2, 2, "", album_id=9), _post(3, 2.0002, "album", album_id=9)),
    _seen(2, _post(4, 2.0003, "", album_id=9), _post(5, 2.5, "five"), _post(6, 3, "six")),
    _sampled(4, ids=[1, 2, 3, 4, 5], views=[90, 40, 44, None, 7], forwards=[3, 1, 1, None, None]),
    _sampled(6, ids=[1, 2], views=[100, 60], replies=[5, None]),
    _counted(8, 1010),
    _counted(8.5, 1004),
    PostsEdited(channel_id=NEWS, observed_at_ms=at(9), posts=[_post(1, 1, "one, edited")]),
    PostsDeleted(channel_id=NEWS, observed_at_ms=at(10), post_ids=[PostId(5), PostId(4)]),
    _counted(30, 1100),
    SubscribersSampled(channel_id=QUIET, observed_at_ms=at(5), source="recording", subscribers=77),
)


def _window(
    minutes: int, gained: int | None, since: int | None, *, closed: bool = True
) -> ActivityWindow:
    """Sampled in its middle, and before it in the middle of the minute `since`."""
    start_ms = START_MS + minutes * MINUTE_MS
    return ActivityWindow(
        sampled_from_ms=None if since is None else START_MS + since * MINUTE_MS + 30_000,
        sampled_to_ms=start_ms + 30_000,
        channel_id=NEWS,
        observed_at_ms=start_ms + 30_000,
        start_ms=start_ms,
        views_gained=gained,
        samples=1,
        closed=closed,
    )


def _age(number: int, hours: int, views: int) -> PostAge:
    return PostAge(
        channel_id=NEWS,
        observed_at_ms=at(4),
        post_id=PostId(number),
        age_s=hours * 3600,
        views=views,
    )


DECIDED: Sequence[Analytics] = (
    ChannelSummary(
        channel_id=NEWS,
        observed_at_ms=at(30),
        title="News",
        username="NewsNow",
        subscribers=1100,
        first_observed_at_ms=at(-20),
        last_post_at_ms=at(3),
        last_sample_at_ms=at(30),
        status="live",
    ),
    ChannelSummary(channel_id=QUIET, observed_at_ms=at(5), subscribers=77),
    _window(-60, 50, None),
    _window(240, 120, -60),
    _window(241, None, 240),
    _window(360, 26, 241, closed=False),
    _age(1, 1, 30),
    _age(1, 12, 99),
    _age(2, 1, 21),
    _age(3, 1, 22),
    _age(5, 1, 900),
    Alert(
        alert_id="spike-1",
        channel_id=NEWS,
        observed_at_ms=at(4),
        type="spike",
        state="raised",
        raised_at_ms=at(4),
        observed=120.0,
        expected=None,
        method="median",
    ),
    Alert(
        alert_id="spike-1",
        channel_id=NEWS,
        observed_at_ms=at(6),
        type="spike",
        state="resolved",
        raised_at_ms=at(4),
        resolved_at_ms=at(6),
        post_id=PostId(1),
        observed=120.0,
        expected=12.5,
        method="median",
    ),
)


async def tell(history: History) -> None:
    observed, decided = ObservedRows(), DecidedRows()
    for event in OBSERVED:
        observed.take(event)
    for message in DECIDED:
        decided.take(message)
    for insert in (*observed.inserts("told"), *decided.inserts("told", 1)):
        await history.insert(insert)
