"""What the live socket says: JSON text frames, one message a frame.

A connection gets `snapshot` first (or, after a resume, the `changes` it missed), then `changes` as
they happen and `tick` when nothing happens. `gap` says that changes were skipped; a fresh
`snapshot` follows it at once. Everything in `data` is a message of `streams.analytics`, field by
field, and folds the same way whether it comes with a snapshot or with changes: a later one of the
same `key` replaces the earlier one, and `post_counters` replace what was known of the posts they
name. Times are integers of milliseconds since 1970 UTC.
"""

import msgspec

from streams.analytics import (
    ActivityWindow,
    Alert,
    ChannelSummary,
    PostCounters,
    SubscribersWindow,
)

Change = ActivityWindow | SubscribersWindow | PostCounters | ChannelSummary | Alert


class Upsert(msgspec.Struct, frozen=True):
    #: A later upsert with the same key replaces this one.
    key: str
    value: Change


class LiveData(msgspec.Struct, frozen=True):
    """The newest of everything live, bounded: see `api.live_view` for how much that is."""

    channels: list[ChannelSummary]
    #: Minute windows, oldest first within a channel.
    windows: list[ActivityWindow]
    #: Subscribers by minute, oldest first within a channel.
    subscribers: list[SubscribersWindow]
    #: The newest counters of each channel's newest posts.
    posts: list[PostCounters]
    #: Newest last.
    alerts: list[Alert]


class Frame(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    #: The engine's own time, which a demo runs faster than the wall clock.
    now_ms: int


class Snapshot(Frame, frozen=True, kw_only=True, tag="snapshot"):
    #: Give it back as `?resume=` to continue from here.
    cursor: str
    data: LiveData


class Changes(Frame, frozen=True, kw_only=True, tag="changes"):
    #: Give it back as `?resume=` to continue from here.
    cursor: str
    data: list[Upsert]


class Tick(Frame, frozen=True, kw_only=True, tag="tick"):
    """Sent about once a second while nothing changes."""


class Gap(Frame, frozen=True, kw_only=True, tag="gap"):
    #: The cursor after which changes were skipped; None where it is not known.
    from_: str | None = msgspec.field(default=None, name="from")
    #: slow_client, cursor_too_old, cursor_unknown, too_much_missed, log_trimmed.
    reason: str


LiveMessage = Snapshot | Changes | Tick | Gap

#: Every kind of frame.
FRAMES = (Snapshot, Changes, Tick, Gap)
