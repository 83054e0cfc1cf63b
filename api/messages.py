"""What the live socket says: JSON text frames, one message a frame.

A connection gets `snapshot` first (or, after a resume, the `changes` it missed), then `changes` as
they happen and `tick` when nothing happens. `gap` says that changes were skipped; a fresh
`snapshot` follows it at once. Everything in `data` but `figures` and `minutes` is a message of
`streams.analytics`, field by field, and folds the same way whether it comes with a snapshot or with
changes: a later one of the same `key` replaces the earlier one, and `post_counters` replace what
was known of the posts they name. Times are integers of milliseconds since 1970 UTC.
"""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from api.live_known import Known
from streams.analytics import (
    ActivityWindow,
    Alert,
    ChannelSummary,
    Decision,
    PostCounters,
    SubscribersWindow,
)
from streams.ids import ChannelId
from streams.kind import NotShown
from streams.kinds import KINDS, upsert_key


class Figures(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, tag="figures"):
    """What the list of channels shows of one: sent again when it changes, and every minute."""

    channel_id: ChannelId
    #: Up to when they count.
    observed_at_ms: int
    #: Views gained in the running minute and the 59 before it.
    hour: Known
    #: Posts published since midnight, UTC.
    today: Known


class Minutes(msgspec.Struct, frozen=True):
    """Views gained in minutes that follow one another: what windows say, as one column."""

    channel_id: ChannelId
    #: The start of the first.
    from_ms: int
    #: None where nothing was measured.
    views: list[int | None]


class Other(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, tag="other"):
    """A message of a kind that a decision declares beside itself."""

    channel_id: ChannelId
    observed_at_ms: int
    #: A later one with the same key replaces this one.
    key: str
    #: Its own `kind` says what it is.
    message: Any


#: Every kind of streams.kinds that live shows, those of decisions, and figures.
Change = (
    ActivityWindow | SubscribersWindow | PostCounters | ChannelSummary | Alert | Figures | Other
)


def key_of(change: Change) -> str:
    """What a later change must share with an earlier one to replace it."""
    if isinstance(change, Figures):
        return f"{change.channel_id}/figures"
    return change.key if isinstance(change, Other) else upsert_key(change)


class Upsert(msgspec.Struct, frozen=True):
    #: A later upsert with the same key replaces this one.
    key: str
    value: Change


class LiveData(msgspec.Struct, frozen=True):
    """The newest of everything live, bounded: see `api.live_view` for how much that is.

    A connection to all channels gets what a list of them shows: `minutes` in place of `windows`,
    and neither `subscribers` nor `posts`. One to named channels gets everything of them.
    """

    channels: list[ChannelSummary]
    figures: list[Figures]
    minutes: list[Minutes]
    #: Minute windows, oldest first within a channel.
    windows: list[ActivityWindow]
    #: Subscribers by minute, oldest first within a channel.
    subscribers: list[SubscribersWindow]
    #: The newest counters of each channel's newest posts.
    posts: list[PostCounters]
    #: Newest last.
    alerts: list[Alert]
    #: What is shown of the kinds that decisions declare beside themselves.
    others: list[Other]


def _lists() -> Mapping[type[Decision], str]:
    """Raises TypeError unless LiveData has a list of each kind that is shown, and Change has it."""
    found = {}
    for kind in KINDS:
        if isinstance(kind.live, NotShown):
            continue
        names = [
            f.name for f in msgspec.structs.fields(LiveData) if get_args(f.type) == (kind.struct,)
        ]
        if len(names) != 1 or kind.struct not in get_args(Change):
            name = kind.struct.__name__
            raise TypeError(f"live shows {name}: add it to LiveData and Change in api.messages")
        found[kind.struct] = names[0]
    return found


#: Which list of LiveData holds the messages of each kind that is shown.
LISTS = _lists()


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
