"""messages.*: history and counters."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import MAX_PAGE, Caller
from loopback.mtproto.errors import RpcFailure
from loopback.world.channel import WorldChannel
from streams.ids import PostId


def get_history(caller: Caller, request: Any) -> Any:
    """A page of at most 100 messages, newest first.

    The page starts, among the ids in (min_id, max_id), at the first one below offset_id, or without
    an offset_id at the first before offset_date. add_offset moves the start; a negative one moves
    it towards newer posts.
    """
    found = caller.channel(request.peer)
    ids = found.ids_between(request.min_id, request.max_id or None)
    # `end` is the end of the page in the list of ids, which is oldest first.
    end = _history_end(found, ids, request) - request.add_offset
    size = min(request.limit or MAX_PAGE, MAX_PAGE)
    page = ids[max(0, end - size) : max(0, end)]
    posts = [post for i in reversed(page) if (post := found.find(i))]
    chats = caller.chats_of(found, posts)
    said = caller.place.shortened(caller.render_messages(found, posts))
    return types.messages.ChannelMessages(found.pts, len(found), said, [], chats, [])


def get_messages_views(caller: Caller, request: Any) -> Any:
    """In the order of the ids; empty MessageViews in place of a missing post."""
    if request.increment:
        raise RpcFailure(400, "LOOPBACK_INCREMENT_FORBIDDEN")
    found = caller.channel(request.peer)
    _check_ids(request.id)
    now_ms = caller.world.clock.now_ms()
    posts = [found.find(PostId(i)) for i in request.id]
    said = [
        types.MessageViews()
        if p is None or p.service
        else render.views(found, p.counters.at(now_ms))
        for p in posts
    ]
    return types.messages.MessageViews(said, caller.render_channels([found]), [])


def get_messages_reactions(caller: Caller, request: Any) -> Any:
    """Updates for the posts with known reactions."""
    found = caller.channel(request.peer)
    _check_ids(request.id)
    now_ms = caller.world.clock.now_ms()
    peer = types.PeerChannel(found.channel_id)
    updates = []
    for post_id in request.id:
        post = found.find(PostId(post_id))
        counts = None if post is None else post.counters.at(now_ms).reactions
        if counts is not None:
            said = render.reactions(counts)
            updates.append(types.UpdateMessageReactions(peer, post_id, said))
    return types.Updates(updates, [], caller.render_channels([found]), caller.now_s, 0)


def _check_ids(ids: Sequence[int]) -> None:
    if not 0 < len(ids) <= MAX_PAGE:
        raise RpcFailure(400, "MSG_ID_INVALID")


def _history_end(found: WorldChannel, ids: Sequence[PostId], request: Any) -> int:
    if request.offset_id:
        return bisect_left(ids, request.offset_id)
    # A date of 0, which is read as the start of 1970, means no date.
    before_ms = int(request.offset_date.timestamp()) * 1000 if request.offset_date else 0
    if not before_ms:
        return len(ids)
    # Binary search works because the dates of a channel's posts follow their ids.
    return bisect_left(ids, before_ms, key=lambda post_id: _date_ms(found, post_id))


def _date_ms(found: WorldChannel, post_id: PostId) -> int:
    post = found.find(post_id)
    return post.date_ms if post else 0
