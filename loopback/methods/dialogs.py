"""messages.getDialogs: all dialogs of an account, with channels and others."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from telethon.tl import types

from loopback.methods import render
from loopback.methods.caller import MAX_PAGE, Caller
from loopback.world.channel import WorldChannel
from loopback.world.others import Other, Person


class _Entry(NamedTuple):
    """A dialog with the objects that Telegram sends with it."""

    date_ms: int
    peer: Any
    dialog: Any
    message: Any | None = None
    chat: Any | None = None
    user: Any | None = None


def get_dialogs(caller: Caller, request: Any) -> Any:
    """Newest message first; the offset is the last dialog of the page before."""
    account = caller.account
    entries = [_of_channel(caller, one) for one in caller.joined()]
    entries += [_of_other(caller, one, at_ms) for one, at_ms in account.others.items()]
    entries.sort(key=lambda entry: (-entry.date_ms, _number(entry.peer)))
    start = _after(entries, request.offset_peer)
    page = entries[start : start + min(request.limit or MAX_PAGE, MAX_PAGE)]
    said = (
        [entry.dialog for entry in page],
        [entry.message for entry in page if entry.message is not None],
        [entry.chat for entry in page if entry.chat is not None],
        [entry.user for entry in page if entry.user is not None],
    )
    if len(page) == len(entries):
        return types.messages.Dialogs(*said)
    return types.messages.DialogsSlice(len(entries), *said)


def _of_channel(caller: Caller, one: WorldChannel) -> _Entry:
    post = one.find(one.newest_id)
    return _Entry(
        0 if post is None else post.date_ms,
        types.PeerChannel(one.channel_id),
        render.dialog(one),
        None if post is None else render.message(caller.world, one, post),
        chat=render.channel(caller.account, one),
    )


def _of_other(caller: Caller, one: Other, at_ms: int) -> _Entry:
    """A dialog with one message, whose number is its author's id: any number will do."""
    peer: Any
    if isinstance(one, Person):
        number, peer = one.user_id, types.PeerUser(one.user_id)
        about = {"user": render.person(caller.account, one)}
    else:
        number, peer = one.chat_id, types.PeerChat(one.chat_id)
        about = {"chat": render.group(one, at_ms // 1000)}
    silent = types.PeerNotifySettings()
    dialog = types.Dialog(peer, number, 0, 0, 0, 0, 0, 0, silent)
    message = types.Message(id=number, peer_id=peer, date=at_ms // 1000, message="hello")
    return _Entry(at_ms, peer, dialog, message, **about)


def _after(entries: Sequence[_Entry], offset_peer: Any) -> int:
    wanted = _number(offset_peer)
    same = (n for n, one in enumerate(entries, 1) if _number(one.peer) == wanted)
    return next(same, 0)


def _number(peer: Any) -> tuple[str, int]:
    """The kind and id of a peer or input peer; ("", 0) for an empty one."""
    for kind in ("channel_id", "chat_id", "user_id"):
        if (number := getattr(peer, kind, None)) is not None:
            return kind, number
    return "", 0
