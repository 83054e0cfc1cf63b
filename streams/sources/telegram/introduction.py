"""Getting to know a channel: which one it is, what it is called, how many subscribe; joining it."""

import logging
from typing import Any

import msgspec
from telethon.tl import functions, types

from streams.events import ChannelDescribed, SubscribersSampled
from streams.ids import ChannelId, InvalidChannel, Username, parse_channel
from streams.sources.cursors import Cursor
from streams.sources.telegram.calls import CallFailed, Flooded, Unreadable
from streams.sources.telegram.channel import FollowedChannel
from streams.sources.telegram.connection import Connection

logger = logging.getLogger(__name__)


async def resolve(channel: FollowedChannel, on: Connection) -> None:
    """Learn the id and the access hash, once; both are stored. Raises Unreadable."""
    channel_id = channel.channel_id
    cursor = None if channel_id is None else await on.cursors.cursor(channel_id)
    if cursor is None or cursor.access_hash is None:
        channel_id, access_hash = await _address(channel, on)
        if not on.following.resolved(channel, channel_id):
            raise Unreadable("FOLLOWED_TWICE")
        stored = cursor or await on.cursors.cursor(channel_id) or Cursor(channel_id)
        cursor = msgspec.structs.replace(stored, access_hash=access_hash)
        await on.cursors.resolve(channel.reference, channel_id, channel.username)
        await on.cursors.put_cursor(cursor)
    channel.load(cursor, on.clock.now_ms())


async def describe(channel: FollowedChannel, on: Connection) -> None:
    """Read title, description and subscribers; join where that is wanted and not yet so."""
    request = functions.channels.GetFullChannelRequest(channel.input_channel)
    answer = await on.calls(request, channel.channel_id)
    now_ms = on.clock.now_ms()
    full = answer.full_chat
    entity = next((chat for chat in answer.chats if chat.id == channel.channel_id), None)
    title, username = getattr(entity, "title", None), getattr(entity, "username", None)
    described = (title, username, full.about)
    # absent means the same as none
    none = (types.ChatReactionsNone, type(None))
    channel.reactive = not isinstance(full.available_reactions, none)
    if described != channel.described:
        event = ChannelDescribed(
            channel_id=channel.known_id,
            observed_at_ms=now_ms,
            source=channel.source,
            title=title,
            username=username,
            about=full.about,
        )
        await on.publisher.publish(event)
        channel.described, channel.username = described, username or channel.username
    if full.participants_count is not None:
        await on.publisher.publish(
            SubscribersSampled(
                channel_id=channel.known_id,
                observed_at_ms=now_ms,
                source=channel.source,
                subscribers=full.participants_count,
            )
        )
    await _join(channel, on, full.pts, entity, answer.chats)


async def _join(
    channel: FollowedChannel, on: Connection, pts: int, entity: Any, chats: list[Any]
) -> None:
    """Pushes come to members only, and only from where Telethon knows the updates to stand."""
    if on.settings.join and getattr(entity, "left", False):
        try:
            request = functions.channels.JoinChannelRequest(channel.input_channel)
            await on.calls(request, channel.channel_id)
        except (CallFailed, Flooded) as error:
            fields = {"channel": channel.name, "reason": str(error)}
            logger.warning("channel_not_joined", extra=fields)
            return
        channel.miss()
    on.calls.client.seed(channel.known_id, pts, chats)


async def _address(channel: FollowedChannel, on: Connection) -> tuple[ChannelId, int]:
    """Id and access hash, from Telegram."""
    known = on.access_hashes.get(channel.channel_id or 0)
    if channel.channel_id is not None and known is not None:
        return channel.channel_id, known
    username = channel.username or _username(channel.reference)
    if username is None:
        raise Unreadable("NOT_AMONG_DIALOGS")
    request = functions.contacts.ResolveUsernameRequest(username)
    answer = await on.calls(request, channel.channel_id)
    meant = getattr(answer.peer, "channel_id", None)
    for chat in answer.chats:
        if isinstance(chat, types.Channel) and chat.id == meant and chat.access_hash is not None:
            channel.username = chat.username or username
            return ChannelId(chat.id), chat.access_hash
    raise Unreadable("NOT_A_CHANNEL")


def _username(reference: str) -> Username | None:
    try:
        parsed = parse_channel(reference)
    except InvalidChannel:
        return None
    return None if isinstance(parsed, int) else parsed
