"""updates.*: the methods by which clients fetch missed updates.

https://core.telegram.org/api/updates
"""

from itertools import islice
from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import MAX_PAGE, Caller
from loopback.mtproto.errors import RpcFailure
from loopback.world.channel import Kind, LogEntry, WorldChannel
from loopback.world.world import World

#: After so many seconds a client that shows the channel should ask again.
_ASK_AGAIN_S = 30
_NEWEST_SHOWN = 20


def get_state(caller: Caller, request: Any) -> Any:
    _ = caller.account
    return types.updates.State(pts=1, qts=0, date=caller.now_s, seq=0, unread_count=0)


def get_difference(caller: Caller, request: Any) -> Any:
    """Only the channels that changed since `date`, because the account's own log is empty."""
    since_ms = int(request.date.timestamp()) * 1000 if request.date else 0
    changed = [c for c in caller.joined() if c.log and c.log[-1].at_ms >= since_ms]
    if not changed:
        return types.updates.DifferenceEmpty(caller.now_s, 0)
    updates = [types.UpdateChannelTooLong(c.channel_id, c.pts) for c in changed]
    chats = caller.render_channels(changed)
    return types.updates.Difference([], [], updates, chats, [], get_state(caller, request))


def get_channel_difference(caller: Caller, request: Any) -> Any:
    """A slice of the log: new posts as messages, edits and deletions as updates with their pts."""
    found = caller.channel(request.channel)
    if request.pts <= 0:
        raise RpcFailure(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > found.pts:
        raise RpcFailure(400, "PERSISTENT_TIMESTAMP_INVALID")
    if request.pts == found.pts:
        empty = types.updates.ChannelDifferenceEmpty
        return empty(found.pts, final=True, timeout=_ASK_AGAIN_S)
    if request.pts < found.log_floor:
        return _too_long(caller, found)
    limit = max(1, min(request.limit, MAX_PAGE))
    return _slice(caller, found, list(islice(found.entries_after(request.pts), limit)))


def _slice(caller: Caller, found: WorldChannel, entries: list[LogEntry]) -> Any:
    new = [i for entry in entries if entry.kind is Kind.NEW for i in entry.post_ids]
    posts = [post for i in new if (post := found.find(i))]
    changes = (c for e in entries if e.kind is not Kind.NEW for c in change(caller.world, found, e))
    pts = entries[-1].pts
    return types.updates.ChannelDifference(
        pts=pts,
        new_messages=caller.render_messages(found, posts),
        other_updates=list(changes),
        chats=caller.chats_of(found, posts),
        users=[],
        final=pts == found.pts or None,
        timeout=_ASK_AGAIN_S,
    )


def _too_long(caller: Caller, found: WorldChannel) -> Any:
    posts = found.newest(_NEWEST_SHOWN)
    return types.updates.ChannelDifferenceTooLong(
        dialog=render.dialog(found),
        messages=caller.render_messages(found, posts),
        chats=caller.chats_of(found, posts),
        users=[],
        final=True,
        timeout=_ASK_AGAIN_S,
    )


def change(world: World, found: WorldChannel, entry: LogEntry) -> list[Any]:
    """The updates of a log entry; none for posts deleted since."""
    if entry.kind is Kind.DELETE:
        gone = list(entry.post_ids)
        return [
            types.UpdateDeleteChannelMessages(found.channel_id, gone, entry.pts, entry.pts_count)
        ]
    posts = [post for i in entry.post_ids if (post := found.find(i))]
    said = [render.message(world, found, post) for post in posts]
    is_new = entry.kind is Kind.NEW
    kind = types.UpdateNewChannelMessage if is_new else types.UpdateEditChannelMessage
    return [kind(message, entry.pts, entry.pts_count) for message in said]
