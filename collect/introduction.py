"""Reads a channel's name and subscribers, and joins it."""

import logging
from collections.abc import Sequence
from typing import Any

from telethon.tl import functions, types

from collect.calls import CallFailed, Flooded
from collect.channel import FollowedChannel
from collect.connection import Connection
from collect.names import username_in, usernames_of
from collect.resolving import checked
from streams.events import ChannelDescribed, SubscribersSampled

logger = logging.getLogger(__name__)


async def describe(channel: FollowedChannel, on: Connection) -> None:
    """Read names, description and subscribers; join if wanted and not done.

    Raises Unreadable where the channel has become a group.
    """
    request = functions.channels.GetFullChannelRequest(channel.input_channel)
    answer = await on.calls(request, channel.channel_id)
    now_ms = on.clock.now_ms()
    full = answer.full_chat
    entity = next((chat for chat in answer.chats if chat.id == channel.channel_id), None)
    checked(entity, channel.name)
    channel.hash_is_old = False
    title, usernames = getattr(entity, "title", None), usernames_of(entity)
    described = (title, usernames, full.about)
    # absent means the same as none
    none = (types.ChatReactionsNone, type(None))
    channel.reactive = not isinstance(full.available_reactions, none)
    if described != channel.described:
        event = ChannelDescribed(
            channel_id=channel.known_id,
            observed_at_ms=now_ms,
            source=channel.source,
            title=title,
            username=usernames[0] if usernames else None,
            usernames=usernames,
            about=full.about,
        )
        await on.publisher.publish(event)
        await _put_names(channel, on, usernames)
        channel.described = described
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


async def _put_names(channel: FollowedChannel, on: Connection, usernames: Sequence[str]) -> None:
    """Set the channel's new names. It is followed by id, whoever gets its old name."""
    foremost = usernames[0] if usernames else None
    if foremost is not None and foremost != channel.username:
        await on.cursors.resolve(channel.reference, channel.known_id, foremost)
        channel.username = foremost
    followed_as = username_in(channel.reference)
    channel.note = ""
    if followed_as is not None and followed_as not in {name.lower() for name in usernames}:
        now = f"@{foremost}" if foremost else "a channel without a username"
        channel.note = f"@{followed_as} is no longer its username: it is {now}, followed by its id"


async def _join(
    channel: FollowedChannel, on: Connection, pts: int, entity: Any, chats: list[Any]
) -> None:
    """Telegram pushes to members only, and only from the state that Telethon knows."""
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
