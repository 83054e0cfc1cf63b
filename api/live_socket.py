"""The WebSocket /api/v1/live: a snapshot, then changes, for the channels asked for.

Query: `channels=a,b` (any spelling; default all) and `resume=CURSOR` (of the last frame received).
Close codes: 1001 the server goes down; 1013 this client reads too slowly; 4400 a parameter or a
channel's spelling is wrong; 4404 a channel is unknown; 4503 history is away, so a name could not be
looked up. Without the key the handshake is answered 401.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from api import questions
from api.hub import Connection, changes_text, text
from api.live_feed import Live, Skipped
from api.live_view import Wanted
from api.messages import Change, Gap, Snapshot
from api.ports import Ports, Wired
from api.problems import Refused
from clickhouse.history import HistoryUnavailable
from streams.clock import Clock

PARAMETERS = ("channels", "resume")
WRITE_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 1.0

_logger = logging.getLogger(__name__)
Socket = WebSocket[Any, Any, Any]


@websocket("/live")
async def live_socket(socket: Socket, ports: Wired) -> None:
    """One client, from its handshake to its end."""
    await socket.accept()
    try:
        questions.refuse_unknown(socket.query_params.keys(), PARAMETERS)
        wanted = await questions.channel_ids(ports, socket.query_params.get("channels"))
    except Refused as error:
        await socket.close(4000 + error.status_code, error.detail[:120])
        return
    except HistoryUnavailable:
        await socket.close(4503, "history is away")
        return
    await ports.live.before_snapshot()
    connection = Connection(wanted, socket.query_params.get("resume"))
    ports.live.hub.add(connection)
    try:
        await _serve(socket, connection, ports)
    finally:
        ports.live.hub.remove(connection)


async def _serve(socket: Socket, connection: Connection, ports: Ports) -> None:
    writer = asyncio.create_task(_write(socket, connection, ports.live, ports.clock))
    reader = asyncio.create_task(_read(socket))
    ended = asyncio.create_task(connection.ended.wait())
    try:
        await asyncio.wait({writer, reader, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writer, reader, ended):
            task.cancel()
        results = await asyncio.gather(writer, reader, ended, return_exceptions=True)
    await _close(socket, connection, results[0])


async def _close(socket: Socket, connection: Connection, written: object) -> None:
    """Say why the connection ends, unless the client ended it."""
    if isinstance(written, TimeoutError):
        code, reason = 1013, "too slow: nothing could be sent for a while"
    elif connection.closing is not None:
        code, reason = connection.closing
    elif isinstance(written, WebSocketDisconnect | ClientDisconnected):
        return
    elif isinstance(written, Exception):
        _logger.error("live_socket_failed", exc_info=written)
        code, reason = 1011, "internal error"
    else:
        return
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await socket.close(code, reason)
    except (TimeoutError, ClientDisconnected):
        _logger.debug("live_socket_left_open", extra={"code": code})


async def _read(socket: Socket) -> None:
    """Returns when the client goes. What it says is not for us."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _write(socket: Socket, connection: Connection, live: Live, clock: Clock) -> None:
    """Send what is queued, for ever. Raises TimeoutError when the client does not take it."""
    for frame in await _greeting(connection, live, clock):
        await _send(socket, frame)
    while True:
        await connection.ready.wait()
        if connection.gap is not None:
            for frame in _after_gap(connection, live, clock):
                await _send(socket, frame)
        elif (frame_queued := connection.take()) is not None:
            await _send(socket, frame_queued.text)
            live.arrived(frame_queued)


async def _send(socket: Socket, frame: str) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await socket.send({"type": "websocket.send", "text": frame, "bytes": None})


async def _greeting(connection: Connection, live: Live, clock: Clock) -> Sequence[str]:
    """A snapshot, or what a resuming client missed."""
    if connection.cursor is None:
        return [_snapshot(connection, live, clock)]
    try:
        until = live.cursor
        changes = _only(await live.missed(connection.cursor), connection.wanted)
        changes += live.figures(connection.wanted, clock.now_ms())
    except Skipped as error:
        connection.gap = error.reason
        return _after_gap(connection, live, clock)
    connection.cursor = until
    return [changes_text(changes, until, clock.now_ms())]


def _after_gap(connection: Connection, live: Live, clock: Clock) -> Sequence[str]:
    reason = connection.gap or "slow_client"
    gap = Gap(now_ms=clock.now_ms(), from_=connection.cursor, reason=reason)
    connection.restart()
    return [text(gap), _snapshot(connection, live, clock)]


def _snapshot(connection: Connection, live: Live, clock: Clock) -> str:
    cursor = connection.cursor = live.cursor
    now_ms = clock.now_ms()
    data = live.snapshot(connection.wanted, now_ms)
    return text(Snapshot(now_ms=now_ms, cursor=cursor, data=data))


def _only(changes: list[Change], wanted: Wanted) -> list[Change]:
    return [change for change in changes if wanted is None or change.channel_id in wanted]
