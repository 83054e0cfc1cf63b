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

from api.live_feed import Live
from api.settings import Settings

#: Requests under way get so long to end; with it an open stream cannot hold the shutdown.
GRACE_S = 1
_STARTED_POLL_S = 0.005
#: What a client may say on the live socket: nothing that we use.
_MESSAGE_BYTES = 16_384


class ServerError(Exception):
    """The server cannot start; the message is one line."""


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Server:
    """Serves `app` from `start` to `stop`; `port` is the real one once it is started.

    `live` is None where the app has no live view.
    """

    def __init__(self, app: Litestar, live: Live | None, settings: Settings) -> None:
        self._live = live
        self._settings = settings
        self._server = _Uvicorn(_config(app, settings))
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


def _config(app: Litestar, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=_MESSAGE_BYTES,
        ws_per_message_deflate=settings.compress_live,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Raises ServerError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
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
