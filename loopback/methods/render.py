"""Renders accounts, channels, posts and counters as Telegram's TL objects."""

from collections.abc import Mapping
from typing import Any

from telethon.tl import types

from loopback.world.account import Account
from loopback.world.channel import WorldChannel, WorldPost
from loopback.world.counters import Counters
from loopback.world.others import BasicGroup, Person
from loopback.world.world import World
from streams.ids import ChannelId

_DOCUMENT_ATTRIBUTES: Mapping[str, Any] = {
    "video": lambda: types.DocumentAttributeVideo(1.0, 16, 16),
    "animation": types.DocumentAttributeAnimated,
    "gif": types.DocumentAttributeAnimated,
    "audio": lambda: types.DocumentAttributeAudio(1),
    "voice": lambda: types.DocumentAttributeAudio(1, voice=True),
    "document": lambda: types.DocumentAttributeFilename("file"),
}

_ACTIONS: Mapping[str, Any] = {
    "pinned": lambda of: types.MessageActionPinMessage(),
    "title": lambda of: types.MessageActionChatEditTitle(of.title),
}


def user(account: Account, *, is_self: bool) -> Any:
    return types.User(
        id=account.user_id,
        is_self=is_self or None,
        first_name=account.first_name,
        access_hash=account.access_hash,
        phone=account.phone if is_self else None,
    )


def person(account: Account, of: Person) -> Any:
    return types.User(
        id=of.user_id,
        first_name=of.first_name,
        username=of.username,
        access_hash=account.access_hash_of_person(of.user_id),
        bot=of.bot or None,
        bot_info_version=1 if of.bot else None,
    )


def group(of: BasicGroup, now_s: int) -> Any:
    return types.Chat(of.chat_id, of.title, types.ChatPhotoEmpty(), 2, now_s, 1)


def channel(account: Account, of: WorldChannel) -> Any:
    return types.Channel(
        id=of.channel_id,
        title=of.title,
        photo=types.ChatPhotoEmpty(),
        date=of.created_ms // 1000,
        broadcast=of.kind == "channel" or None,
        megagroup=of.kind != "channel" or None,
        gigagroup=of.kind == "gigagroup" or None,
        left=of.channel_id not in account.joined or None,
        username=None if of.collectibles else of.username,
        usernames=_usernames(of) or None,
        access_hash=account.access_hash_of(of.channel_id),
    )


def _usernames(of: WorldChannel) -> list[Any]:
    """All usernames of a channel with collectible ones: Telegram then sends no single one."""
    if not of.collectibles:
        return []
    own = [types.Username(of.username, editable=True, active=True)] if of.username else []
    return own + [types.Username(one.name, active=one.active or None) for one in of.collectibles]


def dialog(of: WorldChannel) -> Any:
    peer = types.PeerChannel(of.channel_id)
    return types.Dialog(
        peer, of.newest_id, 0, 0, 0, 0, 0, 0, types.PeerNotifySettings(), pts=of.pts
    )


def message(world: World, of: WorldChannel, post: WorldPost) -> Any:
    """A message has both views and forwards, or neither if one is unknown.

    `views` renders them independently.
    """
    if post.service is not None:
        return types.MessageService(
            id=post.post_id,
            peer_id=types.PeerChannel(of.channel_id),
            date=post.date_ms // 1000,
            action=_ACTIONS[post.service](of),
            post=True,
        )
    counters = post.counters.at(world.clock.now_ms())
    known = counters.views is not None and counters.forwards is not None
    return types.Message(
        id=post.post_id,
        peer_id=types.PeerChannel(of.channel_id),
        date=post.date_ms // 1000,
        message=post.text,
        post=True,
        fwd_from=_forward(world, post),
        media=_media(post),
        views=counters.views if known else None,
        forwards=counters.forwards if known else None,
        replies=replies(of, counters),
        edit_date=None if post.edit_date_ms is None else post.edit_date_ms // 1000,
        grouped_id=post.album_id,
        reactions=None if counters.reactions is None else reactions(counters.reactions),
    )


def replies(of: WorldChannel, counters: Counters) -> Any:
    if counters.replies is None:
        return None
    return types.MessageReplies(counters.replies, of.pts, comments=True, channel_id=of.channel_id)


def views(of: WorldChannel, counters: Counters) -> Any:
    return types.MessageViews(counters.views, counters.forwards, replies(of, counters))


def reactions(counts: Mapping[str, int]) -> Any:
    results = [types.ReactionCount(_reaction(name), count) for name, count in counts.items()]
    return types.MessageReactions(results, min=True)


def _reaction(name: str) -> Any:
    if name == "paid":
        return types.ReactionPaid()
    if name.startswith("custom:"):
        return types.ReactionCustomEmoji(int(name.removeprefix("custom:")))
    return types.ReactionEmoji(name)


def _forward(world: World, post: WorldPost) -> Any:
    source = post.forwarded_from
    if source is None:
        return None
    date = post.date_ms // 1000
    if source.isdecimal():
        return types.MessageFwdHeader(date, from_id=types.PeerChannel(int(source)))
    if known := world.find_username(source):
        return types.MessageFwdHeader(date, from_id=types.PeerChannel(known.channel_id))
    return types.MessageFwdHeader(date, from_name=source)


def forward_sources(world: World, posts: list[WorldPost]) -> list[WorldChannel]:
    """The channels that the posts were forwarded from, of those in the world."""
    found: dict[ChannelId, WorldChannel] = {}
    for post in posts:
        source = post.forwarded_from or ""
        number = ChannelId(int(source)) if source.isdecimal() else None
        known = world.channels.get(number) if number else world.find_username(source)
        if known is not None:
            found[known.channel_id] = known
    return list(found.values())


def _media(post: WorldPost) -> Any:
    kind, number, date = post.media, post.post_id, post.date_ms // 1000
    if kind is None:
        return None
    if kind == "photo":
        return types.MessageMediaPhoto(photo=types.Photo(number, 0, b"", date, [], 2))
    if kind == "poll":
        question = types.TextWithEntities(post.text or "?", [])
        return types.MessageMediaPoll(types.Poll(number, question, [], 0), types.PollResults())
    if kind == "webpage":
        return types.MessageMediaWebPage(types.WebPageEmpty(number))
    if attribute := _DOCUMENT_ATTRIBUTES.get(kind):
        mime = "video/mp4" if kind in ("video", "gif", "animation") else "application/octet-stream"
        file = types.Document(number, 0, b"", date, mime, 1, 2, [attribute()])
        return types.MessageMediaDocument(document=file)
    return types.MessageMediaUnsupported()
