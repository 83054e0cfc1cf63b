"""The caller of a method, and checks of the channels that it may name."""

from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from loopback.methods import render
from loopback.mtproto.auth_keys import AuthKey
from loopback.mtproto.errors import RpcFailure
from loopback.world.account import Account
from loopback.world.channel import WorldChannel, WorldPost
from loopback.world.world import World
from streams.ids import ChannelId

#: Telegram's limit of messages per page, and of ids per request.
MAX_PAGE = 100


class Place:
    """The state of methods apart from the world: the server's address and issued tokens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = 0
        self.dc_id = 2
        self.login_code = "12345"
        #: Accounts by their tokens of auth.exportAuthorization.
        self.exported: dict[bytes, int] = {}
        #: The number of messages missing at the end of full pages, although there are more.
        self.short_by = 0

    def shortened(self, page: list[Any]) -> list[Any]:
        """The page without its last `short_by` messages, as Telegram sends some pages."""
        return page[: len(page) - self.short_by] if len(page) > MAX_PAGE // 2 else page


class Caller:
    """The caller of one call. Its checks raise RpcFailure with Telegram's wording."""

    def __init__(self, place: Place, auth_key: AuthKey) -> None:
        self.place = place
        self.world = place.world
        self.auth_key = auth_key

    @property
    def account(self) -> Account:
        user_id = self.auth_key.user_id
        account = None if user_id is None else self.world.accounts.get(user_id)
        if account is None:
            raise RpcFailure(401, "AUTH_KEY_UNREGISTERED")
        return account

    @property
    def now_s(self) -> int:
        return self.world.clock.now_ms() // 1000

    def channel(self, named: Any) -> WorldChannel:
        """The channel of an InputChannel or InputPeerChannel with this account's access hash."""
        if not isinstance(named, types.InputChannel | types.InputPeerChannel):
            raise RpcFailure(400, "CHANNEL_INVALID")
        channel_id = ChannelId(named.channel_id)
        found = self.world.channels.get(channel_id)
        if found is None or named.access_hash != self.account.access_hash_of(channel_id):
            raise RpcFailure(400, "CHANNEL_INVALID")
        if found.private and channel_id not in self.account.joined:
            raise RpcFailure(400, "CHANNEL_PRIVATE")
        return found

    def joined(self) -> list[WorldChannel]:
        return [self.world.channels[i] for i in self.account.joined if i in self.world.channels]

    def render_channels(self, channels: Sequence[WorldChannel]) -> list[Any]:
        return [render.channel(self.account, one) for one in channels]

    def render_messages(self, of: WorldChannel, posts: Sequence[WorldPost]) -> list[Any]:
        return [render.message(self.world, of, post) for post in posts]

    def chats_of(self, of: WorldChannel, posts: Sequence[WorldPost]) -> list[Any]:
        """The channel and every channel that its posts were forwarded from, each once."""
        sources = render.forward_sources(self.world, list(posts))
        return self.render_channels([of, *(s for s in sources if s is not of)])
