"""Every kind of message of the topics ``analytics.*``, each declared once.

The codec, history, the live socket, taps, AsyncAPI and the page's types follow from KINDS: they
loop over it and name no kind. A kind of the union `Analytics` that is not declared, or not in full,
fails when this is imported. A decision may declare further kinds of its own, which a process knows
beside these (streams.known): it passes all of them to whatever reads messages.
"""

from collections.abc import Mapping
from typing import Any, get_args

from streams.analytics import (
    ActivityWindow,
    Alert,
    Analytics,
    ChannelSummary,
    Decision,
    LateSamples,
    PostAge,
    PostCounters,
    SubscribersWindow,
)
from streams.counters import GAINED, NAMES
from streams.kind import Inserted, Kept, Kind, NotKept, NotShown
from streams.known import Kinds
from streams.topics import ALERTS, WINDOWS, Topic

#: Added to the version of a closed window: more than any time in milliseconds.
CLOSED = 2**62


def _fields(*names: str) -> Mapping[str, str]:
    """Columns that are called as the fields are."""
    return {name: name for name in names}


def _observed_at_ms(message: Decision) -> int:
    return message.observed_at_ms


def _window_version(window: ActivityWindow) -> int:
    """Grows with what a window rests on; the closing comes after all of it."""
    return window.observed_at_ms + (CLOSED if window.closed else 0)


_ACTIVITY = Kind(
    struct=ActivityWindow,
    topic=WINDOWS,
    upsert_key=lambda window: f"{window.channel_id}/activity/{window.start_ms}",
    event_type="analyticbot.window.activity",
    history=Kept[ActivityWindow](
        table="windows",
        columns={
            "channel_id": "channel_id",
            "start": lambda window: window.start_ms // 1000,
            **_fields(*GAINED, "posts", "edits", "deletes", "samples", "closed"),
            "observed_at": "observed_at_ms",
            "version": _window_version,
            "batch": Inserted.BATCH,
            "sampled_from": "sampled_from_ms",
            "sampled_to": "sampled_to_ms",
        },
        version=_window_version,
    ),
    live="minutes",
)

_SUBSCRIBERS = Kind(
    struct=SubscribersWindow,
    topic=WINDOWS,
    upsert_key=lambda each: f"{each.channel_id}/subscribers/{each.size_ms}/{each.start_ms}",
    event_type="analyticbot.window.subscribers",
    history=NotKept("history rolls up the raw samples of subscribers itself"),
    live="minutes",
)

_POST_AGE = Kind(
    struct=PostAge,
    topic=WINDOWS,
    upsert_key=lambda post: f"{post.channel_id}/age/{post.post_id}/{post.age_s}",
    event_type="analyticbot.post.age",
    history=Kept[PostAge](
        table="post_ages",
        columns={
            **_fields("channel_id", "post_id", "age_s", *NAMES, "interpolated"),
            "observed_at": "observed_at_ms",
        },
        version=_observed_at_ms,
    ),
    live=NotShown("ages of posts are asked of history"),
)

_LATE = Kind(
    struct=LateSamples,
    topic=WINDOWS,
    upsert_key=lambda late: f"{late.channel_id}/late/{late.offset}",
    event_type="analyticbot.samples.late",
    history=Kept[LateSamples](
        table="late_samples",
        columns={
            **_fields("channel_id", "offset"),
            "from_at": "from_ms",
            "to_at": "to_ms",
            "samples": "samples",
            "observed_at": "observed_at_ms",
        },
        version=_observed_at_ms,
    ),
    live=NotShown("it tells history what to recompute"),
)

_POST_COUNTERS = Kind(
    struct=PostCounters,
    topic=WINDOWS,
    upsert_key=lambda posts: f"{posts.channel_id}/counters/{posts.observed_at_ms}",
    event_type="analyticbot.post.counters",
    history=NotKept("history has the raw samples of posts"),
    live="posts",
)

_CHANNEL = Kind(
    struct=ChannelSummary,
    topic=WINDOWS,
    upsert_key=lambda channel: f"{channel.channel_id}/channel",
    event_type="analyticbot.channel.summary",
    history=Kept[ChannelSummary](
        table="channels",
        columns={
            **_fields("channel_id", "username", "title", "subscribers"),
            "first_observed_at": "first_observed_at_ms",
            "last_post_at": "last_post_at_ms",
            "last_sample_at": "last_sample_at_ms",
            "status": "status",
            "observed_at": "observed_at_ms",
        },
        version=_observed_at_ms,
    ),
    live="channel",
)

_ALERT = Kind(
    struct=Alert,
    topic=ALERTS,
    upsert_key=lambda alert: alert.alert_id,
    event_type="analyticbot.alert",
    history=Kept[Alert](
        table="alerts",
        columns={
            **_fields("alert_id", "channel_id", "type", "state"),
            "raised_at": "raised_at_ms",
            "resolved_at": "resolved_at_ms",
            **_fields("post_id", "observed", "expected", "method"),
            "observed_at": "observed_at_ms",
        },
        version=_observed_at_ms,
    ),
    live="last",
)


def declared(*kinds: Kind[Any]) -> Kinds:
    """Raises TypeError unless these are the kinds of `Analytics`, each its own."""
    missing = {*get_args(Analytics)}.difference(kind.struct for kind in kinds)
    if missing:
        names = ", ".join(sorted(struct.__name__ for struct in missing))
        raise TypeError(f"{names}: declare what is in Analytics in streams/kinds.py")
    return Kinds(*kinds)


#: In the order in which a channel's messages are made.
KINDS = declared(_ACTIVITY, _SUBSCRIBERS, _POST_AGE, _LATE, _POST_COUNTERS, _CHANNEL, _ALERT)
KIND_OF: Mapping[type[Decision], Kind[Any]] = KINDS.of
#: The topics that carry them, in the order in which messages flow from one to the next.
TOPICS: tuple[Topic, ...] = KINDS.topics


def upsert_key(message: Decision) -> str:
    """What a later message must share with an earlier one to replace it."""
    return KINDS.upsert_key(message)
