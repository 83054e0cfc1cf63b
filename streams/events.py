"""What is observed of a channel: the messages of the topic ``telegram.updates``.

One message is one thing that Telegram said at once (a page of history, one sample of the counters
of at most 100 posts, one pushed update), so that cost follows messages and not posts.
Fields are added with a default and never change their meaning; anything else is a new version.
Times are milliseconds since 1970 UTC. ``None`` means "not known", never zero.

The limits of numbers are declared here and checked by codec.decode_checked alone: a message beyond
them is still an event, of which agents.updates.sifting takes what is within.
"""

from typing import assert_never

import msgspec

from streams.ids import ChannelId
from streams.limits import AnyPostId, Count

#: The version this code writes. A reader refuses a version it does not know (codec.UnknownVersion).
VERSION = 1
#: Telegram's own limit of posts in one request; no message carries more.
MAX_POSTS = 100


class Post(msgspec.Struct, frozen=True, omit_defaults=True):
    """One post as it stood when it was observed."""

    post_id: AnyPostId
    #: When Telegram says that it was published.
    date_ms: int
    text: str = ""
    edit_date_ms: int | None = None
    #: photo, video, document, poll, …; None for a post of text alone.
    media: str | None = None
    #: Posts of one album share it; an album counts once.
    album_id: int | None = None
    #: Where it was forwarded from: a username, or a bare channel id in digits.
    forwarded_from: str | None = None
    views: Count | None = None
    forwards: Count | None = None
    replies: Count | None = None
    #: Emoji (or ``custom:ID``, ``paid``) to count. None: not known; empty: known to have none.
    reactions: dict[str, Count] | None = None


class Observation(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True):
    """What every message says: which channel, when it was observed, by whom, in which version."""

    v: int = VERSION
    channel_id: ChannelId
    observed_at_ms: int
    #: telegram, recording, import.
    source: str = "telegram"


class PostsSeen(Observation, frozen=True, kw_only=True, tag="posts_seen"):
    """A page of history, or a pushed new post. Counters in it were read at `observed_at_ms`."""

    posts: list[Post]
    #: This message and others of its source tell every post that the channel published from here
    #: to `observed_at_ms`. None: the source reads without gaps, from its oldest post on (a
    #: collector), or says nothing of it (an import).
    complete_since_ms: int | None = None


class PostsEdited(Observation, frozen=True, kw_only=True, tag="posts_edited"):
    """The posts as they stand after an edit."""

    posts: list[Post]


class PostsDeleted(Observation, frozen=True, kw_only=True, tag="posts_deleted"):
    post_ids: list[AnyPostId]


class CountersSampled(Observation, frozen=True, kw_only=True, tag="counters_sampled"):
    """The counters of some posts, read at one instant, as columns of equal length.

    A column is None where the source did not say anything of it; an element is None where it said
    nothing of that post. `reactions` are totals.
    """

    post_ids: list[AnyPostId]
    views: list[Count | None] | None = None
    forwards: list[Count | None] | None = None
    replies: list[Count | None] | None = None
    reactions: list[Count | None] | None = None


class SubscribersSampled(Observation, frozen=True, kw_only=True, tag="subscribers_sampled"):
    subscribers: Count


class ChannelDescribed(Observation, frozen=True, kw_only=True, tag="channel_described"):
    """What a channel is called."""

    title: str | None = None
    username: str | None = None
    about: str | None = None
    #: All that lead to it, `username` the first; empty: it has none. None: not known.
    usernames: list[str] | None = None


class ChannelStatus(Observation, frozen=True, kw_only=True, tag="channel_status"):
    """Whether the source can observe the channel now.

    `status`:

    live           observed; `reason` says what is odd all the same
    away           the source cannot be reached
    waiting        Telegram asked to wait
    private        not readable by this account
    banned         closed by Telegram, or to this account
    not_found      nobody has that name, or this account has no channel of that id
    not_a_channel  a user, a bot or a group has that name
    duplicate      followed by another reference already

    `until_ms`: when the source tries again, where it knows. What has no id yet has its status in
    the control store alone (sources.cursors.Followed), which says `pending` before the first.
    """

    status: str
    reason: str = ""
    until_ms: int | None = None


class StatisticsRead(Observation, frozen=True, kw_only=True, tag="statistics_read"):
    """Telegram's own statistics of a channel, as JSON by graph name."""

    graphs: dict[str, str]


Event = (
    PostsSeen
    | PostsEdited
    | PostsDeleted
    | CountersSampled
    | SubscribersSampled
    | ChannelDescribed
    | ChannelStatus
    | StatisticsRead
)


def samples_of(event: Event) -> int:
    """The posts whose counters it tells."""
    match event:
        case CountersSampled():
            return len(event.post_ids)
        case PostsSeen() | PostsEdited():
            return sum(post.views is not None for post in event.posts)
        case (
            PostsDeleted()
            | SubscribersSampled()
            | ChannelDescribed()
            | ChannelStatus()
            | StatisticsRead()
        ):
            return 0
        case _:
            assert_never(event)
