"""The input of the player: a recording, per channel, in the order of publication."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from loopback.curve import RecordedCounters, Series
from streams.events import Post
from streams.ids import ChannelId, PostId
from streams.recording import Recording


class PlayedPost(msgspec.Struct, frozen=True):
    post: Post
    #: When the post's own counters were read; None if unknown.
    sampled_at_ms: int | None = None
    #: Instants and views, in addition to the post's own.
    views: Sequence[tuple[int, int]] = ()

    @property
    def end_ms(self) -> int:
        """The last instant of which something is recorded."""
        last_sample = self.views[-1][0] if self.views else 0
        edit = self.post.edit_date_ms or 0
        return max(self.post.date_ms, self.sampled_at_ms or 0, last_sample, edit)

    def counters(self, date_ms: int) -> RecordedCounters:
        """The counters of the played post, which is published at `date_ms`."""
        views = [(at_ms - self.post.date_ms, count) for at_ms, count in self.views]
        read, reactions = self._read, self.post.reactions
        of_names = None
        if reactions is not None and self.sampled_at_ms is not None:
            of_names = {name: Series(read(count)) for name, count in reactions.items()}
        return RecordedCounters(
            date_ms,
            _series([*read(self.post.views), *views]),
            _series(read(self.post.forwards)),
            _series(read(self.post.replies)),
            of_names,
        )

    def _read(self, count: int | None) -> list[tuple[int, int]]:
        if count is None or self.sampled_at_ms is None:
            return []
        return [(self.sampled_at_ms - self.post.date_ms, count)]


class PlayedChannel(msgspec.Struct, frozen=True):
    channel_id: ChannelId
    username: str | None
    title: str | None
    #: By date.
    posts: Sequence[PlayedPost]
    #: Instants and subscribers, by instant.
    subscribers: Sequence[tuple[int, int]] = ()

    def subscribers_at(self, recorded_ms: int) -> int | None:
        """The last number recorded by then; before the first one, the first; None without any."""
        if not self.subscribers:
            return None
        place = bisect_right(self.subscribers, recorded_ms, key=lambda sample: sample[0])
        return self.subscribers[max(0, place - 1)][1]

    @property
    def end_ms(self) -> int:
        """The last instant of which something is recorded."""
        last = self.subscribers[-1][0] if self.subscribers else 0
        return max((post.end_ms for post in self.posts), default=last)


def read_channels(recording: Recording) -> list[PlayedChannel]:
    """All channels of a recording that have posts."""
    posts = _posts(recording)
    subscribers: dict[ChannelId, dict[int, int]] = defaultdict(dict)
    for sample in recording.subscriber_samples():
        subscribers[sample.channel_id][sample.sampled_at_ms] = sample.subscribers
    played = []
    for one in recording.channels():
        counts = subscribers[one.channel_id]
        if one.subscribers is not None and one.subscribers_at_ms is not None:
            counts[one.subscribers_at_ms] = one.subscribers
        if mine := posts.get(one.channel_id):
            samples = sorted(counts.items())
            played.append(PlayedChannel(one.channel_id, one.username, one.title, mine, samples))
    return played


def _posts(recording: Recording) -> dict[ChannelId, list[PlayedPost]]:
    views: dict[tuple[ChannelId, PostId], dict[int, int]] = defaultdict(dict)
    for sample in recording.view_samples():
        views[sample.channel_id, sample.post_id][sample.sampled_at_ms] = sample.views
    posts: dict[ChannelId, dict[PostId, PlayedPost]] = defaultdict(dict)
    for row in recording.posts():
        samples = tuple(sorted(views.get((row.channel_id, row.post.post_id), {}).items()))
        post = PlayedPost(row.post, row.sampled_at_ms, samples)
        posts[row.channel_id][row.post.post_id] = post
    return {channel_id: _ordered(mine.values()) for channel_id, mine in posts.items()}


def _ordered(posts: Iterable[PlayedPost]) -> list[PlayedPost]:
    return sorted(posts, key=lambda played: (played.post.date_ms, played.post.post_id))


def _series(samples: Sequence[tuple[int, int]]) -> Series | None:
    return Series(samples) if samples else None
