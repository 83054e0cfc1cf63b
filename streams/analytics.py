"""What the agents decided: the messages of the topics ``analytics.*``.

Every message is an upsert: a later one with the same key replaces the earlier one. What else a
kind of message is (its key, its topic, where it is kept and shown) is declared in `streams.kinds`.
Times are milliseconds since 1970 UTC. ``None`` means "not known", never zero.
"""

import msgspec

from streams.events import VERSION
from streams.ids import ChannelId, PostId


class Decision(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True):
    """What every message of the topics analytics.* says."""

    v: int = VERSION
    channel_id: ChannelId
    #: Event time: the newest observation that this rests on.
    observed_at_ms: int


class ActivityWindow(Decision, frozen=True, kw_only=True, tag="activity"):
    """What a channel gained in the minute [start_ms, start_ms + 60 000).

    Gains are increments *observed* in the window, whatever the post; they never fall.
    A gain is None where no increment of that kind could be measured. `posts`, `edits` and
    `deletes` count what was published, edited, deleted in the window. An album counts once in all
    of them but `edits` and `deletes`: only its leader is counted.
    """

    start_ms: int
    views_gained: int | None = None
    forwards_gained: int | None = None
    replies_gained: int | None = None
    reactions_gained: int | None = None
    posts: int = 0
    edits: int = 0
    deletes: int = 0
    #: How many counter samples of posts the gains rest on.
    samples: int = 0
    #: Closed by the watermark: it does not change any more.
    closed: bool = False
    #: Views a minute: of each post's gain the share of one minute of the time that it took, so that
    #: a gain over five minutes counts a fifth. None where `views_gained` is.
    views_pace: float | None = None
    #: The channel's newest sampling instant before the first one in this window; None where there
    #: was none, or more than 24 h before. So (sampled_from_ms, sampled_to_ms] is observed time.
    sampled_from_ms: int | None = None
    #: The last sampling instant in this window; None without any.
    sampled_to_ms: int | None = None
    #: The post that added most to `views_pace` (of an album its leader), and the views that it
    #: gained. None where no post gained any.
    top_post_id: PostId | None = None
    top_views_gained: int | None = None


class SubscribersWindow(Decision, frozen=True, kw_only=True, tag="subscribers"):
    """Subscribers in [start_ms, start_ms + size_ms): size is a minute, an hour or a day (UTC)."""

    start_ms: int
    size_ms: int
    first: int
    last: int
    low: int
    high: int
    samples: int
    closed: bool = False


class PostAge(Decision, frozen=True, kw_only=True, tag="post_age"):
    """A post's counters at one fixed age. Sent once per (post, age), when a sample passes it.

    An interpolated counter is exact: it is a float, and never rounded.
    """

    post_id: PostId
    #: One of the fixed ages, from 5 minutes to 30 days.
    age_s: int
    views: int | float | None = None
    forwards: int | float | None = None
    replies: int | float | None = None
    reactions: int | float | None = None
    #: False: sampled at this very age. True: between the two samples around it.
    interpolated: bool = True


class LateSamples(Decision, frozen=True, kw_only=True, tag="late"):
    """Samples of posts that came too late for any window: what they gained is booked in none.

    Either their minute was closed, or their posts had been sampled at a later instant already.
    The windows that start in [from_ms's minute, to_ms] do not say what the raw samples say. Sent
    once, by the message that carried the samples.
    """

    #: The place of that message in its partition of telegram.updates.
    offset: int
    #: The instant of the samples.
    from_ms: int
    #: The newest instant at which one of their posts had been sampled; `from_ms` without any later.
    to_ms: int
    #: How many posts were sampled.
    samples: int


class PostCounters(Decision, frozen=True, kw_only=True, tag="post_counters"):
    """The newest counters of posts, as columns: what moved with one message."""

    post_ids: list[PostId]
    dates_ms: list[int | None]
    views: list[int | None]
    forwards: list[int | None]
    replies: list[int | None]
    reactions: list[int | None]


class ChannelSummary(Decision, frozen=True, kw_only=True, tag="channel"):
    """The newest that is known of a channel."""

    title: str | None = None
    username: str | None = None
    subscribers: int | None = None
    first_observed_at_ms: int | None = None
    last_post_at_ms: int | None = None
    last_sample_at_ms: int | None = None
    #: events.ChannelStatus.status, `unknown` before the first.
    status: str = "unknown"
    status_reason: str = ""
    status_until_ms: int | None = None


class Alert(Decision, frozen=True, kw_only=True, tag="alert"):
    """Something that a person should know. `state`: raised, updated, resolved."""

    alert_id: str
    #: spike; others follow.
    type: str
    state: str
    raised_at_ms: int
    resolved_at_ms: int | None = None
    #: The post that it is about, where there is one; of an album its leader.
    post_id: PostId | None = None
    #: What was measured, what would have been expected, and by which rule.
    observed: float
    expected: float | None
    method: str


#: What the agent of telegram.updates sends.
Window = ActivityWindow | SubscribersWindow | PostAge | LateSamples | PostCounters | ChannelSummary
Analytics = Window | Alert
