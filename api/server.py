"""uvicorn inside the caller's event loop; signals stay with the caller.

ServerError    the address cannot be listened on: one line that says what to do
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn
from litestar import Litestar

from api.addresses import Shared
from api.front import Front
from api.guard import Guard
from api.http_connection import HttpConnection
from api.limits import Limits
from api.listener import Listener
from api.live_feed import Live
from api.notices import Notices
from api.peers import Peer, Peers
from api.settings import Settings
from api.socket_connection import SocketConnection
from streams.clock import Clock
from streams.metrics import Metrics

#: Requests under way get so long to end; with it an open stream cannot hold the shutdown.
GRACE_S = 1
#: For every answer, whatever it is of.
HEADERS = [("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY")]
_STARTED_POLL_S = 0.005
#: What a client may say on the live socket: nothing that we use.
_MESSAGE_BYTES = 16_384
#: uvicorn's ticks in a second.
_TICKS = 10


class ServerError(Exception):
    """The server cannot start; the message is one line."""


class _Uvicorn(uvicorn.Server):
    """With a listener, limits and signals that are not uvicorn's."""

    def __init__(
        self, config: uvicorn.Config, limits: Limits, peers: Peers, notices: Notices
    ) -> None:
        super().__init__(config)
        self._limits = limits
        self._peers = peers
        self._notices = notices
        self._sweep_ticks = max(1, int(limits.sweep_s * _TICKS))
        self._listener: Listener | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets is not None
        self.servers = []
        self._listener = Listener(
            sockets[0], self._connection, self._peers, self._notices, self._limits
        )
        self._listener.start()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        if counter % self._sweep_ticks == 0:
            self._peers.sweep(asyncio.get_running_loop().time())
            self._notices.sweep(self._peers.now_s)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert self._listener is not None
        self._listener.stop()
        self._peers.end_waiting()
        # Before uvicorn gives up: who takes nothing of what is left to be sent waits in vain.
        late = asyncio.get_running_loop().call_later(GRACE_S * 0.8, self._peers.end)
        await super().shutdown(sockets)
        late.cancel()
        self._notices.end()

    def _connection(self, peer: Peer) -> HttpConnection:
        return HttpConnection(self.config, self.server_state, peer, self._limits)


class Server:
    """Serves `app` from `start` to `stop`; `port` is the real one once it is started.

    `live` is None where the app has no live view. Raises UnsafeSettings when others could reach it
    without a key.
    """

    def __init__(
        self, app: Litestar, live: Live | None, settings: Settings, metrics: Metrics, clock: Clock
    ) -> None:
        settings.check()
        self._live = live
        self._settings = settings
        notices, shared = Notices(), Shared(settings.trusted_proxies)
        #: Its connections.
        self.peers = Peers(settings.limits, shared, notices, metrics)
        guard = Guard(settings, notices, clock.now_ms, lambda: self.peers.now_s)
        config = _config(Front(app, guard, metrics), settings)
        self._server = _Uvicorn(config, settings.limits, self.peers, notices)
        self._serving: asyncio.Task[None] | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Returns when connections are accepted. Raises ServerError."""
        listener = _listen(self._settings.host, self._settings.port)
        self.port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
                raise ServerError(f"the server on {self.url} stopped while starting")
            await asyncio.sleep(_STARTED_POLL_S)

    async def wait(self) -> None:
        """Returns when the server has ended, for whatever reason."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Tells the clients, ends their connections and waits for the end; below 3 seconds."""
        if self._live is not None:
            await self._live.stop()
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


def _config(app: Front, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpConnection,
        ws=SocketConnection,
        ws_max_size=_MESSAGE_BYTES,
        # It costs the CPU more than it saves most networks.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_S,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=HEADERS,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Raises ServerError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, an answer of
    # two writes waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServerError(f"{host}:{port} is in use: choose another port") from error
        raise ServerError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener
