"""An account's dialogs, which have the access hashes of channels that are known by id alone.

Listed on demand, and only as far as needed: an account may have thousands, and Telegram allows a
few pages per minute. A listing that has to wait resumes where it stopped.
"""

import asyncio
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from collect.calls import Calls
from streams.ids import ChannelId

#: Telegram's limit per page.
_PAGE = 100
#: An older listing does not prove that a channel is missing.
_GOOD_FOR_MS = 60_000


class Dialogs:
    """The dialogs of one account, kept across its connections."""

    def __init__(self) -> None:
        self._found: dict[int, Any] = {}
        #: What else has such an id: groups and people. Told apart, for ids of a kind are its own.
        self._others: dict[int, Any] = {}
        self._listing = asyncio.Lock()
        self._offset: dict[str, Any] = {}
        #: When the last page was read; None while there are more.
        self._ended_ms: int | None = None
        self._begin()

    async def find(self, channel_id: ChannelId, calls: Calls, now_ms: int) -> Any | None:
        """Telegram's Channel, else another thing of that id.

        Raises what calls.Calls raises: call it again then.
        """
        async with self._listing:
            if self._ended_ms is not None and now_ms - self._ended_ms >= _GOOD_FOR_MS:
                self._begin()
            while channel_id not in self._found and self._ended_ms is None:
                await self._read_page(calls, now_ms)
        return self._found.get(channel_id) or self._others.get(channel_id)

    def forget(self, channel_id: ChannelId) -> None:
        """Its access hash was refused: search from the start again."""
        if self._found.pop(channel_id, None) is not None:
            self._begin()

    def _begin(self) -> None:
        nobody = types.InputPeerEmpty()
        self._offset = {"offset_date": None, "offset_id": 0, "offset_peer": nobody}
        self._ended_ms = None

    async def _read_page(self, calls: Calls, now_ms: int) -> None:
        first = not self._offset["offset_id"]
        request = functions.messages.GetDialogsRequest(
            **self._offset, limit=_PAGE, hash=0, exclude_pinned=not first
        )
        answer = await calls(request)
        for chat in answer.chats:
            if isinstance(chat, types.Channel) and chat.access_hash is not None and not chat.min:
                self._found[chat.id] = chat
        groups = [chat for chat in answer.chats if isinstance(chat, types.Chat)]
        self._others.update((one.id, one) for one in (*groups, *answer.users))
        offset = _offset_of(answer)
        more = isinstance(answer, types.messages.DialogsSlice) and answer.dialogs
        if more and offset is not None and offset != self._offset:
            self._offset = offset
        else:
            self._ended_ms = now_ms


def _offset_of(page: Any) -> dict[str, Any] | None:
    """Where the next page begins: at the last dialog that can be named and has a message."""
    entities = {_key(one): one for one in (*page.chats, *page.users)}
    dates = {(_key(m.peer_id), m.id): m.date for m in page.messages if hasattr(m, "date")}
    for dialog in reversed(page.dialogs):
        key, newest = _key(dialog.peer), dialog.top_message
        if (date := dates.get((key, newest))) is None or key not in entities:
            continue
        try:
            peer = utils.get_input_peer(entities[key])
        except TypeError:  # a group that the account was thrown out of, say
            continue
        return {"offset_date": date, "offset_id": newest, "offset_peer": peer}
    return None


def _key(peer: Any) -> tuple[str, int]:
    """The same for a user, group or channel and for a peer that names it."""
    match peer:
        case types.PeerUser(user_id=number) | types.User(id=number) | types.UserEmpty(id=number):
            return "user", number
        case types.PeerChat(chat_id=number) | types.Chat(id=number):
            return "chat", number
        case types.PeerChannel(channel_id=number) | types.Channel(id=number):
            return "channel", number
        case _:
            return type(peer).__name__, getattr(peer, "id", 0)
