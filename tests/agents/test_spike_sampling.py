"""Spikes in channels whose posts are sampled evenly, seldom, all at once, or not for a while."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest

from streams.analytics import ActivityWindow, Alert
from streams.events import CountersSampled, Event, Post, PostsSeen
from streams.ids import PostId
from streams.units import HOUR_MS, MINUTE_MS
from tests.agents.pure import CHANNEL, Pure

T = 28_333_334 * MINUTE_MS
#: In which everything is usual.
CALM = range(90)
TAKE_OFF = 90

#: Views a minute that a post gains in a minute.
Rate = Callable[[int, int], float]


class Channel:
    """Posts that gain views; counted as they stand at any minute."""

    def __init__(self, posts: int, rate: Rate) -> None:
        self.posts = posts
        self._rate = rate
        self._chance = random.Random(5)
        self._views = [1000.0] * posts
        self._minute = 0

    def seen(self) -> PostsSeen:
        posts = [Post(PostId(1 + n), T - 40 * HOUR_MS + n * MINUTE_MS) for n in range(self.posts)]
        return PostsSeen(channel_id=CHANNEL, observed_at_ms=T, posts=posts)

    def sampled(self, minute: int, numbers: Iterable[int]) -> CountersSampled:
        """Not before an earlier minute that was sampled."""
        while self._minute < minute:
            self._minute += 1
            for number in range(self.posts):
                noise = self._chance.uniform(0.7, 1.3)
                self._views[number] += self._rate(number, self._minute) * noise
        numbers = list(numbers)
        return CountersSampled(
            channel_id=CHANNEL,
            observed_at_ms=T + minute * MINUTE_MS + 30_000,
            post_ids=[PostId(1 + number) for number in numbers],
            views=[int(self._views[number]) for number in numbers],
        )


def _steady(_number: int, _minute: int) -> float:
    return 2


def _taking_off(number: int, minute: int) -> float:
    """One post gains twenty times what the whole channel gains else."""
    return 20 * 2 * 40 if number == 7 and minute >= TAKE_OFF else 2


def _even(channel: Channel, minutes: Iterable[int]) -> Iterator[Event]:
    """A fifth of the posts every minute, in turns."""
    for minute in minutes:
        yield channel.sampled(minute, range(minute % 5, channel.posts, 5))


def _all(channel: Channel, minutes: Iterable[int]) -> Iterator[Event]:
    for minute in minutes:
        yield channel.sampled(minute, range(channel.posts))


def _comb(channel: Channel, minutes: Iterable[int], young: int) -> Iterator[Event]:
    """Some posts every minute, all of them every fifth."""
    for minute in minutes:
        yield channel.sampled(minute, range(channel.posts if minute % 5 == 0 else young))


def _alerts(*parts: Iterable[Event]) -> list[Alert]:
    pure = Pure()
    for part in parts:
        pure.fold_all(part)
    return [message for message in pure.upserts.values() if isinstance(message, Alert)]


def _raised(*parts: Iterable[Event]) -> list[int]:
    """The minutes in which alerts were raised."""
    return [(alert.raised_at_ms - T) // MINUTE_MS for alert in _alerts(*parts)]


SAMPLINGS: Mapping[str, Callable[[Channel, Iterable[int]], Iterator[Event]]] = {
    "all every minute": _all,
    "in turns": _even,
    "none between every fifth minute": lambda channel, minutes: _comb(channel, minutes, 0),
    "few between every fifth minute": lambda channel, minutes: _comb(channel, minutes, 8),
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_steady_channel_raises_nothing_however_it_is_sampled(sampling: str) -> None:
    channel = Channel(40, _steady)
    sampled = SAMPLINGS[sampling](channel, range(400))
    assert _raised([channel.seen()], sampled) == []


@pytest.mark.parametrize(("sampling", "within"), [("all every minute", 0), ("in turns", 4)])
def test_a_post_that_takes_off_is_raised_in_the_first_minute_that_samples_it(
    sampling: str, within: int
) -> None:
    channel = Channel(40, _taking_off)
    events = SAMPLINGS[sampling](channel, range(TAKE_OFF + 10))
    (raised,) = _raised([channel.seen()], events)
    assert TAKE_OFF <= raised <= TAKE_OFF + within


def test_a_take_off_is_raised_where_all_posts_are_sampled_every_fifth_minute() -> None:
    channel = Channel(40, lambda n, minute: _taking_off(n, minute - 90))
    (raised,) = _raised([channel.seen()], _comb(channel, range(220), 0))
    assert TAKE_OFF + 90 <= raised < TAKE_OFF + 95


@pytest.mark.parametrize("minutes_away", [3, 6, 15, 120, 3000])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_was_gained_while_nobody_looked_is_no_spike(sampling: str, minutes_away: int) -> None:
    channel = Channel(40, _steady)
    back = CALM.stop + minutes_away

    def observed() -> Iterator[Event]:
        yield channel.seen()
        yield from SAMPLINGS[sampling](channel, CALM)
        # All posts are read at once when the source is back.
        yield channel.sampled(back, range(channel.posts))
        yield from SAMPLINGS[sampling](channel, range(back + 1, back + 90))

    assert _raised(observed()) == []


def test_posts_published_during_an_outage_raise_nothing() -> None:
    channel = Channel(10, _steady)
    calm = [channel.seen(), *_all(channel, CALM)]
    at_ms = T + (CALM.stop + 240) * MINUTE_MS
    found = [Post(PostId(100 + n), at_ms - n * 10 * MINUTE_MS, views=n * 40) for n in range(1, 20)]
    back = PostsSeen(channel_id=CHANNEL, observed_at_ms=at_ms, posts=found)
    after = _all(channel, range(CALM.stop + 241, CALM.stop + 300))
    assert _raised(calm, [back], after) == []


def test_samples_two_hours_apart_raise_nothing() -> None:
    def nightly(_number: int, minute: int) -> float:
        return 0.1 if minute // 720 % 2 else 5

    channel = Channel(20, nightly)
    assert _raised([channel.seen()], _all(channel, range(0, 20_000, 120))) == []


def test_a_low_traffic_channel_needs_thirty_views_a_minute() -> None:
    def rare(number: int, minute: int) -> float:
        return 20 if number == 0 and minute == TAKE_OFF else 0.05

    channel = Channel(5, rare)
    assert _raised([channel.seen()], _all(channel, range(TAKE_OFF + 20))) == []


def test_the_pace_of_a_window_is_that_of_its_posts_whatever_lies_between_samples() -> None:
    def pace(every: int) -> float | None:
        channel = Channel(40, lambda *_: 2.0)
        pure = Pure()
        pure.fold_all([channel.seen(), *_all(channel, range(0, 10 * every, every))])
        windows = [w for w in pure.upserts.values() if isinstance(w, ActivityWindow)]
        return windows[-1].views_pace

    for every in (1, 5, 30, 120):
        assert pace(every) == pytest.approx(80, rel=0.15)
