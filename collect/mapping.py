"""Telegram's objects as the parts of events. Pure: the instant of observation is passed in.

Not for service messages (joins, pins, photo changes): they are not posts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from telethon.tl import types

from collect.names import username_of
from streams.events import Post
from streams.ids import ChannelId, PostId

#: The source that knows all counters of its posts.
COMPLETE = "telegram"
#: What a document is called by the first of its attributes that says so.
_DOCUMENTS = (
    (types.DocumentAttributeSticker, "sticker"),
    (types.DocumentAttributeAnimated, "animation"),
    (types.DocumentAttributeVideo, "video"),
    (types.DocumentAttributeAudio, "audio"),
)


def posts_of(
    messages: Iterable[Any],
    chats: Iterable[Any] = (),
    *,
    reactive: bool = True,
    complete: bool = False,
) -> list[Post]:
    """The posts among the messages, in their order. `reactive`, `complete`: as of `post_of`."""
    usernames = {chat.id: name for chat in chats if (name := username_of(chat))}
    posts = (message for message in messages if type(message) is types.Message)
    return [post_of(message, usernames, reactive=reactive, complete=complete) for message in posts]


def post_of(
    message: types.Message,
    usernames: Mapping[int, str] | None = None,
    *,
    reactive: bool = True,
    complete: bool = False,
) -> Post:
    """`reactive`: whether the channel allows reactions, so that a post without any has none.

    `complete`: whoever sends it knows all counters, as Telegram does: a post without replies is
    one without comments, and there are not reactions where they are not allowed. A recording that
    is played may not know them.
    """
    reactive = reactive or (complete and message.views is not None)
    # `edit_hide`: Telegram changed the buttons or reactions, nobody edited the post.
    edited = message.edit_date if not message.edit_hide else None
    return Post(
        post_id=PostId(message.id),
        date_ms=_ms(message.date),
        text=message.message or "",
        edit_date_ms=None if edited is None else _ms(edited),
        media=media_of(message.media),
        album_id=message.grouped_id,
        forwarded_from=origin_of(message.fwd_from, usernames or {}),
        views=message.views,
        forwards=message.forwards,
        replies=replies_of(message.replies, complete=complete and message.views is not None),
        reactions=reactions_of(message.reactions) if message.reactions or reactive else None,
    )


def media_of(media: Any) -> str | None:
    """The kind of media; None where there is none or only a preview of a link."""
    if media is None or isinstance(media, types.MessageMediaWebPage | types.MessageMediaEmpty):
        return None
    if isinstance(media, types.MessageMediaDocument):
        attributes = getattr(media.document, "attributes", None) or ()
        for kind, name in _DOCUMENTS:
            if any(isinstance(attribute, kind) for attribute in attributes):
                return name
        return "document"
    return type(media).__name__.removeprefix("MessageMedia").lower()


def origin_of(header: Any, usernames: Mapping[int, str]) -> str | None:
    """The channel that a post was forwarded from: its username where known, else its bare id."""
    origin = None if header is None else header.from_id
    if not isinstance(origin, types.PeerChannel):
        return None
    return usernames.get(origin.channel_id) or str(origin.channel_id)


def reactions_of(reactions: Any) -> dict[str, int]:
    """Empty where there are none: a whole message says all it has."""
    results = [] if reactions is None else reactions.results
    return {_reaction(result.reaction): result.count for result in results}


def replies_of(replies: Any, *, complete: bool) -> int | None:
    """None where there is no telling; `complete` as of `post_of`."""
    if replies is None:
        return 0 if complete else None
    return int(replies.replies)


def channel_of(update: Any) -> ChannelId | None:
    """The channel that an update is about."""
    channel_id = getattr(update, "channel_id", None)
    if channel_id is None:
        message = getattr(update, "message", None)
        peer = getattr(message, "peer_id", None) or getattr(update, "peer", None)
        channel_id = getattr(peer, "channel_id", None)
    return None if channel_id is None else ChannelId(channel_id)


def column(values: Sequence[int | None]) -> list[int | None] | None:
    """A column of CountersSampled: None where the source said nothing at all."""
    return None if all(value is None for value in values) else list(values)


def _reaction(reaction: Any) -> str:
    if isinstance(reaction, types.ReactionEmoji):
        return str(reaction.emoticon)
    if isinstance(reaction, types.ReactionCustomEmoji):
        return f"custom:{reaction.document_id}"
    return "paid"


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
