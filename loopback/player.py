"""Plays recorded channels in a world: posts appear at their time, counters follow their curves.

Each channel has a shift, the constant difference between recorded and played time. The shift places
60% of the channel's posts before the start, as its history; the player publishes the rest. It plays
nothing twice; after the end of the recording, the channel stays unchanged. The demo's additions
(loopback.staging) have separate times.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from loopback.played import PlayedChannel, PlayedPost
from loopback.staging import Audience, StagedCounters, StagedPost
from loopback.world.channel import Kind, WorldChannel, WorldPost
from loopback.world.counters import Counters
from loopback.world.world import World
from streams.ids import ChannelId, PostId

#: The share of a channel's posts before the start.
HISTORY_SHARE = 0.6
#: The first new post of the last channel comes this much (of played time) after the start.
_LEAD_MS = 60_000
#: The shortest intervals between pushes of a channel's newest counters: in played time, and in wall
#: time for high speeds.
_PUSH_EVERY_MS = 5_000
_PUSH_EVERY_WALL_MS = 250
_PUSHED_POSTS = 3
_PUSHED_AGE_MS = 24 * 3_600_000


class Shift(msgspec.Struct, frozen=True):
    """Converts between a channel's recorded time and played time."""

    channel_id: ChannelId
    #: The start of playing, in recorded and in played time.
    recorded_start_ms: int
    played_start_ms: int
    #: The last recorded instant.
    recorded_end_ms: int

    def played(self, recorded_ms: int) -> int:
        return recorded_ms - self.recorded_start_ms + self.played_start_ms

    def recorded(self, played_ms: int) -> int:
        """The recorded instant of a played one."""
        return played_ms - self.played_start_ms + self.recorded_start_ms

    def is_over(self, played_ms: int) -> bool:
        return self.recorded(played_ms) > self.recorded_end_ms


class _Due(NamedTuple):
    """A future event of a post."""

    at_ms: int
    post_id: PostId
    channel: WorldChannel
    post: WorldPost
    kind: Kind
    #: The text after an edit.
    text: str

    def __lt__(self, other: tuple[object, ...]) -> bool:
        return self[:2] < other[:2]


class Player:
    """The constructor adds the channels to the world, with their history at the start."""

    def __init__(
        self,
        world: World,
        channels: Sequence[PlayedChannel],
        staged: Mapping[str, Sequence[StagedPost]] | None = None,
        audiences: Mapping[str, Audience] | None = None,
    ) -> None:
        """`staged` and `audiences`: additions to the recording, by username."""
        self._world = world
        self._staged = staged or {}
        self._audiences = audiences or {}
        self._due: list[_Due] = []
        self._pushed: dict[ChannelId, Mapping[PostId, Counters]] = {}
        start_ms = world.clock.now_ms()
        self._shifts = {
            one.channel_id: _shift(one, start_ms, _LEAD_MS * number // len(channels))
            for number, one in enumerate(channels, 1)
        }
        self._channels = [self._put(one) for one in channels]
        self._next_pushed = 0
        self._push_at_ms = start_ms
        heapq.heapify(self._due)

    @property
    def shifts(self) -> Mapping[ChannelId, Shift]:
        """The shifts, by channel."""
        return self._shifts

    @property
    def ended(self) -> bool:
        """Whether the recordings of all channels have been played."""
        now_ms = self._world.clock.now_ms()
        return all(shift.is_over(now_ms) for shift in self._shifts.values())

    async def run(self) -> None:
        """Plays until all recordings have ended; cancel it to stop earlier."""
        clock = self._world.clock
        while not self.ended:
            now_ms = clock.now_ms()
            next_ms = self.step(now_ms)
            # A millisecond of wall time at least, however fast the clock runs.
            await clock.sleep_ms(max(next_ms - now_ms, clock.speed))

    def step(self, now_ms: int) -> int:
        """Executes all due events. Returns the instant of the next call; does not wait."""
        while self._due and self._due[0].at_ms <= now_ms:
            self._happen(heapq.heappop(self._due))
        if now_ms >= self._push_at_ms and self._channels:
            self._push_counters(self._channels[self._next_pushed], now_ms)
            self._next_pushed = (self._next_pushed + 1) % len(self._channels)
            self._push_at_ms = now_ms + self._push_pause_ms()
        next_due_ms = self._due[0].at_ms if self._due else self._push_at_ms
        return min(next_due_ms, self._push_at_ms)

    def _put(self, played: PlayedChannel) -> WorldChannel:
        shift = self._shifts[played.channel_id]
        start_ms = shift.played_start_ms
        staged = self._staged.get(played.username or "", ())
        posts = [_post(one, shift) for one in played.posts]
        sets = [_staged_posts(one, start_ms) for one in staged]
        _number(posts, [post for posts in sets for post in posts])
        channel = self._world.add_channel(
            played.channel_id,
            played.username,
            played.title,
            subscribers=self._subscribers(played, shift),
            history=[post for post in posts if post.date_ms <= start_ms],
        )
        self._due += _plan(channel, posts, start_ms)
        for one, members in zip(staged, sets, strict=True):
            self._due += _plan_staged(channel, one, members, start_ms)
        return channel

    def _subscribers(self, played: PlayedChannel, shift: Shift) -> Callable[[int], int | None]:
        audience = self._audiences.get(played.username or "")
        if audience is not None and not played.subscribers:
            return lambda now_ms: audience.at(now_ms - shift.played_start_ms)
        return lambda now_ms: played.subscribers_at(shift.recorded(now_ms))

    def _happen(self, due: _Due) -> None:
        match due.kind:
            case Kind.NEW:
                self._world.publish(due.channel, due.post)
            case Kind.EDIT:
                self._world.edit(due.channel, due.post.post_id, due.text, at_ms=due.at_ms)
            case Kind.DELETE:
                self._world.delete(due.channel, [due.post.post_id])

    def _push_counters(self, channel: WorldChannel, now_ms: int) -> None:
        """Pushes the counters of the newest posts that have changed since the last push."""
        if self._shifts[channel.channel_id].is_over(now_ms):
            return
        young = [
            post for post in channel.newest(_PUSHED_POSTS) if now_ms - post.date_ms < _PUSHED_AGE_MS
        ]
        before = self._pushed.get(channel.channel_id, {})
        now = {post.post_id: post.counters.at(now_ms) for post in young}
        self._pushed[channel.channel_id] = now
        if moved := [post for post in young if before.get(post.post_id) != now[post.post_id]]:
            self._world.push_counters(channel, moved)

    def _push_pause_ms(self) -> int:
        pause_ms = max(_PUSH_EVERY_MS, int(_PUSH_EVERY_WALL_MS * self._world.clock.speed))
        return max(1, pause_ms // len(self._channels))


def _shift(channel: PlayedChannel, start_ms: int, lead_ms: int) -> Shift:
    dates = [one.post.date_ms for one in channel.posts]
    recorded_start_ms = dates[int(len(dates) * HISTORY_SHARE)] - lead_ms
    return Shift(channel.channel_id, recorded_start_ms, start_ms, channel.end_ms)


def _post(played: PlayedPost, shift: Shift) -> WorldPost:
    post, date_ms = played.post, shift.played(played.post.date_ms)
    edit_ms = None if post.edit_date_ms is None else shift.played(post.edit_date_ms)
    return WorldPost(
        post.post_id,
        date_ms,
        post.text,
        played.counters(date_ms),
        media=post.media,
        album_id=post.album_id,
        forwarded_from=post.forwarded_from,
        edit_date_ms=edit_ms,
    )


def _plan(channel: WorldChannel, posts: Iterable[WorldPost], start_ms: int) -> Iterable[_Due]:
    """The future events of recorded posts. Clears the edit date of posts with a future edit."""
    for post in posts:
        if post.date_ms > start_ms:
            yield _Due(post.date_ms, post.post_id, channel, post, Kind.NEW, "")
        edit_ms = post.edit_date_ms
        if edit_ms is not None and edit_ms > start_ms:
            post.edit_date_ms = None
            yield _Due(edit_ms, post.post_id, channel, post, Kind.EDIT, post.text)


def _staged_posts(staged: StagedPost, start_ms: int) -> list[WorldPost]:
    """The post, or the photos of the album, without ids."""
    date_ms = start_ms + staged.at_ms
    counters = StagedCounters(date_ms, staged.growth)
    if not staged.photos:
        return [WorldPost(PostId(0), date_ms, staged.text, counters)]
    return [
        WorldPost(
            PostId(0),
            date_ms,
            "" if number else staged.text,
            counters,
            media="photo",
            album_id=date_ms,
        )
        for number in range(staged.photos)
    ]


def _number(posts: list[WorldPost], staged: Iterable[WorldPost]) -> None:
    """Numbers staged posts by date; increases the ids of later recorded posts."""
    if not (added := list(staged)):
        return
    first_ms = min(post.date_ms for post in added)
    later = sorted(
        (post for post in (*posts, *added) if post.date_ms >= first_ms),
        key=lambda post: (post.date_ms, post.post_id),
    )
    newest = max((post.post_id for post in posts if post.date_ms < first_ms), default=PostId(0))
    moved = 0
    for post in later:
        if not post.post_id:
            moved += 1
            post.post_id = PostId(newest + 1)
        else:
            post.post_id = PostId(post.post_id + moved)
        newest = post.post_id


def _plan_staged(
    channel: WorldChannel, staged: StagedPost, posts: Iterable[WorldPost], start_ms: int
) -> Iterable[_Due]:
    for post in posts:
        yield _Due(post.date_ms, post.post_id, channel, post, Kind.NEW, "")
        for after_ms, kind in ((staged.edit_at_ms, Kind.EDIT), (staged.delete_at_ms, Kind.DELETE)):
            if after_ms is not None:
                yield _Due(
                    start_ms + after_ms, post.post_id, channel, post, kind, staged.edited_text
                )
