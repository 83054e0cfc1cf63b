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

    def __init__(self, config: uvicorn.Config, settings: Settings, metrics: Metrics) -> None:
        super().__init__(config)
        self._settings = settings
        self.notices = Notices()
        shared = Shared(settings.trusted_proxies)
        self.peers = Peers(settings.limits, shared, self.notices, metrics)
        self._sweep_ticks = max(1, int(settings.limits.sweep_s * _TICKS))
        self._listener: Listener | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets is not None
        self.servers = []
        limits = self._settings.limits
        self._listener = Listener(sockets[0], self._connection, self.peers, self.notices, limits)
        self._listener.start()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        if counter % self._sweep_ticks == 0:
            self.peers.sweep(asyncio.get_running_loop().time())
            self.notices.sweep(self.peers.now_s)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert self._listener is not None
        self._listener.stop()
        self.peers.end_waiting()
        # Before uvicorn gives up: who takes nothing of what is left to be sent waits in vain.
        late = asyncio.get_running_loop().call_later(GRACE_S * 0.8, self.peers.end)
        await super().shutdown(sockets)
        late.cancel()
        self.notices.end()

    def _connection(self, peer: Peer) -> HttpConnection:
        return HttpConnection(self.config, self.server_state, peer, self._settings.limits)


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
        config = _config(settings)
        self._server = _Uvicorn(config, settings, metrics)
        guard = Guard(settings, self._server.notices, clock.now_ms, lambda: self.peers.now_s)
        config.app = Front(app, guard, metrics)
        self._serving: asyncio.Task[None] | None = None
        self.port = settings.port

    @property
    def peers(self) -> Peers:
        """Its connections."""
        return self._server.peers

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
                raise ServerError(f"the server on {self.url} ended while it started")
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


def _config(settings: Settings) -> uvicorn.Config:
    """Without an application, which is set before it is loaded."""
    return uvicorn.Config(
        "",
        http=HttpConnection,
        ws=SocketConnection,
        ws_max_size=_MESSAGE_BYTES,
        ws_per_message_deflate=settings.compress_live,
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
