"""channels.* and contacts.resolveUsername: resolve, describe, join and leave channels."""

from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import MAX_PAGE, Caller
from loopback.mtproto.errors import RpcFailure
from loopback.world.account import MAX_JOINED
from loopback.world.channel import WorldChannel
from streams.ids import PostId


def resolve_username(caller: Caller, request: Any) -> Any:
    account = caller.account
    found = caller.world.find_username(request.username.removeprefix("@"))
    if found is None or (found.private and found.channel_id not in account.joined):
        return _resolved_person(caller, request.username.removeprefix("@"))
    peer = types.PeerChannel(found.channel_id)
    return types.contacts.ResolvedPeer(peer, caller.render_channels([found]), [])


def _resolved_person(caller: Caller, username: str) -> Any:
    if (person := caller.world.find_person(username)) is None:
        raise RpcFailure(400, "USERNAME_NOT_OCCUPIED")
    peer = types.PeerUser(person.user_id)
    return types.contacts.ResolvedPeer(peer, [], [render.person(caller.account, person)])


def get_channels(caller: Caller, request: Any) -> Any:
    return types.messages.Chats(caller.render_channels([caller.channel(c) for c in request.id]))


def get_full_channel(caller: Caller, request: Any) -> Any:
    found = caller.channel(request.channel)
    full = types.ChannelFull(
        id=found.channel_id,
        about=found.about,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=found.pts,
        participants_count=found.subscribers(caller.world.clock.now_ms()),
    )
    return types.messages.ChatFull(full, caller.render_channels([found]), [])


def get_messages(caller: Caller, request: Any) -> Any:
    """In the order of the ids; MessageEmpty in place of a missing post."""
    found = caller.channel(request.channel)
    ids = [PostId(getattr(named, "id", 0)) for named in request.id]
    if len(ids) > MAX_PAGE:
        raise RpcFailure(400, "MSG_ID_INVALID")
    posts = [post for i in ids if (post := found.find(i))]
    by_id = {m.id: m for m in caller.render_messages(found, posts)}
    peer = types.PeerChannel(found.channel_id)
    said = caller.place.shortened([by_id.get(i) or types.MessageEmpty(i, peer) for i in ids])
    chats = caller.chats_of(found, posts)
    return types.messages.ChannelMessages(found.pts, len(said), said, [], chats, [])


def join_channel(caller: Caller, request: Any) -> Any:
    found = caller.channel(request.channel)
    account = caller.account
    if found.channel_id not in account.joined and len(account.joined) >= MAX_JOINED:
        raise RpcFailure(400, "CHANNELS_TOO_MUCH")
    caller.world.join(account, found)
    return types.messages.ChatInviteJoinResultOk(_changed(caller, found))


def leave_channel(caller: Caller, request: Any) -> Any:
    found = caller.channel(request.channel)
    if found.channel_id not in caller.account.joined:
        raise RpcFailure(400, "USER_NOT_PARTICIPANT")
    caller.world.leave(caller.account, found)
    return _changed(caller, found)


def _changed(caller: Caller, found: WorldChannel) -> Any:
    update = types.UpdateChannel(found.channel_id)
    return types.Updates([update], [], caller.render_channels([found]), caller.now_s, 0)
