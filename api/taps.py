"""The SSE tap /api/v1/taps/stream: every message of analytics.*, replayable, at least once.

Each event's `id:` is a cursor; a browser sends it back as Last-Event-ID. A cursor or a time that
the log no longer keeps is refused with the floor named, never skipped silently.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from api import cursor, questions
from api.cloudevents import envelope, types_of
from api.cursor import Position
from api.live_log import follow, is_of_log
from api.live_view import Wanted
from api.ports import Ports, Wired
from api.problems import Refused
from api.times import iso
from streams.cursor_text import InvalidCursor
from streams.log import Batch, Bounds, LogError, OffsetTooOld, Partition, Record

HEARTBEAT_S = 15.0
_encoder = msgspec.json.Encoder()


class Filter(msgspec.Struct, frozen=True):
    """What a tap lets through."""

    channels: Wanted
    types: frozenset[str]
    since_ms: int


@get("/taps/stream", media_type="text/event-stream", tags=["taps"])
async def stream(
    request: Request[Any, Any, Any],
    ports: Wired,
    channels: Annotated[
        str | None, QueryParameter(description="Channels, separated by commas")
    ] = None,
    types: Annotated[
        str | None, QueryParameter(description="Event types, separated by commas")
    ] = None,
    since: Annotated[str | None, QueryParameter(description="Start at this event time")] = None,
) -> Stream:
    """CloudEvents as server-sent events: from Last-Event-ID or `since` if given, then live."""
    last_id = request.headers.get("last-event-id")
    since_ms = None
    if since is not None and last_id is None:
        since_ms = questions.time_of("since", since, ports.clock.now_ms())
    asked = _types(types, types_of(ports.kinds).values())
    wanted = Filter(await questions.channel_ids(ports, channels), asked, since_ms or 0)
    topics = ports.kinds.topic_names
    bounds = {p: b for topic in topics for p, b in (await ports.log.bounds(topic)).items()}
    if last_id is not None:
        positions = await _after(ports, bounds, last_id)
    elif since_ms is not None:
        positions = await _since_time(ports, bounds, since_ms)
    else:
        positions = {p: Position(b.next) for p, b in bounds.items()}
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(
        _events(ports, positions, wanted), media_type="text/event-stream", headers=headers
    )


async def _after(
    ports: Ports, bounds: Mapping[Partition, Bounds], last_id: str
) -> dict[Partition, Position]:
    """Where a cursor stands. Raises InvalidCursor, or Refused where its place is gone."""
    asked = cursor.decode(last_id)
    named = {partition.topic for partition in asked}
    # Of a topic that nothing was read of when the cursor was given out, all is new to the client.
    added = {p: Position(b.first) for p, b in bounds.items() if p.topic not in named}
    if asked.keys() | added.keys() != bounds.keys():
        raise InvalidCursor("it is of another log")
    for partition, position in asked.items():
        first, after_last = bounds[partition]
        if position.next < first:
            raise _too_old(await _first_kept(ports, partition, first))
        if position.next > after_last or not await _same_log(ports, partition, position):
            raise InvalidCursor("it is of another log")
    return {**asked, **added}


async def _since_time(
    ports: Ports, bounds: Mapping[Partition, Bounds], since_ms: int
) -> dict[Partition, Position]:
    """The first records kept: event times need not grow with offsets, so all are looked at."""
    for partition, (first, _) in bounds.items():
        if first > 0:
            kept_ms = await _first_kept(ports, partition, first)
            if kept_ms is None or since_ms < kept_ms:
                raise _too_old(kept_ms)
    return {partition: Position(first) for partition, (first, _) in bounds.items()}


async def _first_kept(ports: Ports, partition: Partition, first: int) -> int | None:
    records = await ports.log.read(partition, first, 1)
    return records[0].timestamp_ms if records else None


async def _same_log(ports: Ports, partition: Partition, position: Position) -> bool:
    try:
        return await is_of_log(ports.log, partition, position)
    except OffsetTooOld:
        # What stood before the cursor is gone, the cursor's own place is not.
        return True


def _too_old(floor_ms: int | None) -> Refused:
    floor = "now" if floor_ms is None else iso(floor_ms)
    return Refused(410, "cursor-too-old", f"that is no longer kept; the floor is {floor}")


async def _events(
    ports: Ports, positions: dict[Partition, Position], wanted: Filter
) -> AsyncGenerator[bytes, None]:
    """Ends when the server stops or the log cannot be read on: the client comes again.

    Perhaps because the log has trimmed what this reader had not taken yet, which it is told then.
    """
    yield b"retry: 1000\n\n"
    start = {partition: position.next for partition, position in positions.items()}
    try:
        async with (
            contextlib.aclosing(follow(ports.log, start, ports.kinds)) as batches,
            contextlib.aclosing(_or_nothing(batches, ports.live.stopping)) as turns,
        ):
            async for batch in turns:
                yield _block(ports, positions, wanted, batch) if batch else b": alive\n\n"
    except LogError as error:
        ports.metrics.error("taps", type(error).__name__)


async def _or_nothing(
    batches: AsyncGenerator[Batch, None], stopping: asyncio.Event
) -> AsyncGenerator[Batch | None, None]:
    """The batches, and None whenever none came for a while; ends when `stopping` is set."""
    stop = asyncio.create_task(stopping.wait())
    following: asyncio.Task[Batch] | None = None
    try:
        while not stopping.is_set():
            following = following or asyncio.create_task(anext(batches))
            await asyncio.wait(
                {following, stop}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if following.done():
                batch, following = following.result(), None
                yield batch
            elif not stopping.is_set():
                yield None
    except StopAsyncIteration:
        return
    finally:
        stop.cancel()
        if following is not None:
            following.cancel()
        await asyncio.gather(stop, *filter(None, [following]), return_exceptions=True)


def _block(
    ports: Ports, positions: dict[Partition, Position], wanted: Filter, batch: Batch
) -> bytes:
    """One batch as text; a comment when the filter lets nothing of it through."""
    lines: list[bytes] = []
    for record in batch.records:
        positions[batch.partition] = cursor.after(record)
        line = _event(ports, batch.partition, record, wanted)
        if line is not None:
            lines.append(b"id: " + cursor.encode(positions).encode() + line)
    ports.metrics.received("taps", len(batch.records))
    ports.metrics.sent("taps", len(lines))
    return b"".join(lines) or b": nothing\n\n"


def _event(ports: Ports, partition: Partition, record: Record, wanted: Filter) -> bytes | None:
    if record.value is None:
        return None
    message = ports.intake.read(record.value)
    if message is None:
        return None
    if message.observed_at_ms < wanted.since_ms:
        return None
    if wanted.channels is not None and message.channel_id not in wanted.channels:
        return None
    event = envelope(partition, record, message, ports.kinds)
    if event.type not in wanted.types:
        return None
    return b"\nevent: " + event.type.encode() + b"\ndata: " + _encoder.encode(event) + b"\n\n"


def _types(text: str | None, there_are: Collection[str]) -> frozenset[str]:
    if text is None:
        return frozenset(there_are)
    asked = frozenset(text.split(","))
    if unknown := asked.difference(there_are):
        known = ", ".join(there_are)
        detail = f"unknown type {sorted(unknown)[0]!r}; known: {known}"
        raise Refused(400, "bad-parameter", detail)
    return asked
