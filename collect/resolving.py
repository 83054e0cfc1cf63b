"""Resolves a followed reference to a channel and the account's access hash for it."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from telethon.tl import functions, types

from collect.calls import Unreadable
from collect.channel import FollowedChannel
from collect.connection import Connection
from collect.names import not_a_channel, username_in, username_of
from streams.ids import ChannelId
from streams.sources.cursors import Cursor

#: Telegram's error codes for names that do not lead to a channel.
_NO_NAME: Mapping[str, str] = MappingProxyType(
    {
        "USERNAME_NOT_OCCUPIED": "nobody on Telegram has the name @{name}",
        "USERNAME_INVALID": "@{name} is no name that Telegram gives",
    }
)


async def resolve(channel: FollowedChannel, on: Connection) -> None:
    """Get the id and the access hash; both are stored, so this happens once. Raises Unreadable.

    Refuses anything but broadcast channels, before it reads or joins them.
    """
    channel_id = channel.channel_id
    cursor = None if channel_id is None else await on.cursors.cursor(channel_id)
    if cursor is None or cursor.access_hash in (None, channel.refused_hash):
        entity = await _entity(channel, on)
        channel_id = ChannelId(entity.id)
        refused, channel.refused_hash = channel.refused_hash, None
        if entity.access_hash == refused:  # so it is not the hash that is wrong
            raise Unreadable("CHANNEL_INVALID")
        if not on.following.resolved(channel, channel_id):
            other = on.following.find(channel_id)
            raise Unreadable("FOLLOWED_TWICE", f"followed as {other.name if other else 'another'}")
        channel.username = username_of(entity) or channel.username
        stored = cursor or await on.cursors.cursor(channel_id) or Cursor(channel_id)
        cursor = msgspec.structs.replace(stored, access_hash=entity.access_hash)
        await on.cursors.resolve(channel.reference, channel_id, channel.username)
        await on.cursors.put_cursor(cursor)
        channel.hash_is_old = False
    pages = await on.cursors.known_posts(cursor.channel_id)
    channel.load(cursor, pages, on.clock.now_ms())


async def _entity(channel: FollowedChannel, on: Connection) -> types.Channel:
    """Ask Telegram: by name first, which is one request; listing dialogs may take many.

    Where it is known which channel is meant, a name that has moved to another one is of no use.
    """
    name = channel.username or username_in(channel.reference)
    if name is not None:
        try:
            entity = await _named(name, channel, on)
        except Unreadable:
            if channel.channel_id is None:
                raise
        else:
            if channel.channel_id in (None, entity.id):
                return entity
    assert channel.channel_id is not None
    now_ms = on.clock.now_ms()
    if channel.refused_hash is not None:
        on.dialogs.forget(channel.channel_id)
    found = await on.dialogs.find(channel.channel_id, on.calls, now_ms)
    if found is None:
        raise Unreadable(
            "NOT_AMONG_DIALOGS",
            f"the account is in no channel with the id {channel.channel_id}:"
            " follow it by its @username, or join it",
        )
    return checked(found, channel.reference)


async def _named(name: str, channel: FollowedChannel, on: Connection) -> types.Channel:
    request = functions.contacts.ResolveUsernameRequest(name)
    try:
        answer = await on.calls(request, channel.channel_id)
    except Unreadable as error:
        says = _NO_NAME.get(error.reason, error.reason)
        raise Unreadable(error.reason, says.format(name=name)) from error
    meant = answer.peer
    if isinstance(meant, types.PeerUser):
        entities = [one for one in answer.users if one.id == meant.user_id]
    else:
        wanted = getattr(meant, "channel_id", None) or getattr(meant, "chat_id", None)
        entities = [one for one in answer.chats if one.id == wanted]
    if not entities:
        raise Unreadable("USERNAME_NOT_OCCUPIED", f"nobody on Telegram has the name @{name}")
    return checked(entities[0], f"@{name}")


def checked(entity: object, called: str) -> types.Channel:
    """The broadcast channel; Raises Unreadable for other chats."""
    if (kind := not_a_channel(entity)) is not None:
        raise Unreadable("NOT_A_CHANNEL", f"{called} is a {kind}, not a channel")
    if not isinstance(entity, types.Channel) or entity.access_hash is None:
        raise Unreadable("CHANNEL_PRIVATE")
    return entity
