"""Telegram on 127.0.0.1: a world behind an MTProto server, for unpatched clients.

    async with LoopbackTelegram(world) as telegram:
        client = TelegramClient(telegram.session(user_id), telegram.api_id, telegram.api_hash)

Only for demos and tests: it makes Telethon trust the server's key, for the whole process.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from telethon import TelegramClient
from telethon.crypto import AuthKey as TelethonAuthKey
from telethon.crypto import rsa as telethon_rsa
from telethon.sessions import StringSession
from telethon.tl import types

from loopback.calls import Calls
from loopback.dispatch import Dispatch
from loopback.faults import Faults
from loopback.limits import Limits
from loopback.methods.caller import Place
from loopback.mtproto.rsa_key import process_key
from loopback.mtproto.server import HOST, MtprotoServer
from loopback.pushes import Pushes
from loopback.world.channel import WorldChannel
from loopback.world.world import World


class LoopbackTelegram:
    """Use it with ``async with``. Called from one event loop only.

    Closing it raises calls.NotStrict if a client made unknown or forbidden calls, unless `strict`
    is False, as in the demo.
    """

    host = HOST
    #: The server accepts any values; clients need some.
    api_id = 1
    api_hash = "loopback"

    def __init__(self, world: World, *, strict: bool = True, secret: bytes | None = None) -> None:
        self.world = world
        self.calls = Calls()
        self.faults = Faults()
        self.limits = Limits(world.clock)
        self._strict = strict
        self._place = Place(world)
        dispatch = Dispatch(
            self._place, self.calls, self.faults, self.limits, self._connected_sessions
        )
        self.server = MtprotoServer(dispatch, secret=secret)
        self._pushes = Pushes(self._place, self.server, self.faults)
        world.listen(self._pushes.take)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.server.stop()
        if error is None and self._strict:
            self.calls.assert_strict()

    async def start(self, port: int = 0) -> None:
        """Starts to listen; makes all Telethon clients of this process trust the server's key."""
        await self.server.start(port)
        self._place.port = self.server.port
        telethon_rsa.add_key(self.public_key_pem, old=False)
        # Telethon caches the first help.getConfig for all clients of a process, with the port
        # of a server that may not exist any more.
        TelegramClient._config = None

    async def close(self) -> None:
        await self.__aexit__(None, None, None)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def dc_id(self) -> int:
        return self._place.dc_id

    @property
    def public_key_pem(self) -> str:
        return process_key().public_pem

    @property
    def login_code(self) -> str:
        """The code that auth.signIn accepts for every account."""
        return self._place.login_code

    def session(self, user_id: int) -> StringSession:
        """A signed-in session with a new key, without a key exchange.

        Creates the account if it does not exist.
        """
        return self.authorise(StringSession(), user_id)

    def authorise(self, session: Any, user_id: int) -> Any:
        """Signs in a Telethon session of any kind and points it here. Returns the session."""
        self.world.add_account(user_id)
        self.point(session)
        # Clients drop leading zeros of a key, so this one has none.
        key = b"\x01" + os.urandom(255)
        self.server.keys.add(key, user_id)
        session.auth_key = TelethonAuthKey(key)
        session.save()
        return session

    def point(self, session: Any) -> Any:
        """Points a Telethon session here, without signing in. Returns the session."""
        session.set_dc(self.dc_id, self.host, self.port)
        return session

    # Faults of the whole server; `faults` has those of calls and pushes.

    def drop_connections(self, user_id: int | None = None) -> None:
        """Cuts all connections, or those of one account; pushes are lost until they reconnect."""
        self.server.drop_all(user_id)

    async def go_away(self) -> None:
        """Drops and refuses connections until `come_back`."""
        await self.server.stop()

    async def come_back(self) -> None:
        """Listens again on the same port."""
        await self.server.start()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        await self.go_away()
        try:
            yield
        finally:
            await self.come_back()

    def rotate_salts(self) -> None:
        """Forces all clients to learn a new salt with their next message."""
        self.server.keys.rotate_salts()

    def skew_clock(self, seconds: float) -> None:
        """Shifts the server's clock from now on."""
        self.server.skew_s = seconds

    def shorten_pages(self, by: int) -> None:
        """Omits the last messages of full pages from now on, although there are more."""
        self._place.short_by = by

    def revoke(self, user_id: int) -> None:
        """Signs out the account's sessions, which get AUTH_KEY_UNREGISTERED from now on."""
        self.server.keys.sign_out(user_id)

    def push_too_long(self, channel: WorldChannel) -> None:
        """Pushes updateChannelTooLong to subscribers, as Telegram does after many updates."""
        update = types.UpdateChannelTooLong(channel.channel_id, channel.pts)
        self._pushes.push(channel, [update])

    def _connected_sessions(self, auth_key: Any) -> int:
        return len(self.server.connected_sessions(auth_key))
