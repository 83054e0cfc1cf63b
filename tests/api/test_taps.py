"""The SSE tap: CloudEvents, resumable, filtered, honest about what is gone."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api import cursor, taps
from api.cloudevents import TYPES
from streams.analytics import ActivityWindow, Alert
from streams.log import Bounds, Log, Partition
from streams.topics import WINDOWS
from tests.api import golden
from tests.api.reading import FixedReader
from tests.api.serving import CHANNEL, NOW_MS, OTHER, PATIENCE_S, Serving, put, summary, until
from tests.patience import BUSY

PATH = "/api/v1/taps/stream"


def window(minute: int, views: int) -> ActivityWindow:
    start_ms = NOW_MS + minute * 60_000
    return ActivityWindow(
        channel_id=CHANNEL, observed_at_ms=start_ms, start_ms=start_ms, views_gained=views
    )


ALERT = Alert(
    channel_id=CHANNEL, observed_at_ms=NOW_MS, alert_id="spike-1", type="spike", state="raised",
    raised_at_ms=NOW_MS, observed=400.0, expected=80.0, method="ratio",
)  # fmt: skip


@contextlib.asynccontextmanager
async def events(
    serving: Serving, query: str = "", last_id: str | None = None
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The events of one connection, each with its SSE id under `cursor`."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with serving.http.stream("GET", PATH + query, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in response.headers
        lines = response.aiter_lines()
        # The first line comes when the place in the log has been taken.
        assert await anext(lines) == "retry: 1000"

        async def parsed() -> AsyncIterator[dict[str, Any]]:
            cursor = ""
            async for line in lines:
                if line.startswith("id: "):
                    cursor = line[4:]
                elif line.startswith("data: "):
                    yield {**json.loads(line[6:]), "cursor": cursor}

        yield parsed()


async def take(stream: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(stream) for _ in range(count)]


async def test_events_are_cloudevents(serving: Serving) -> None:
    async with events(serving) as stream:
        await put(serving.log, window(0, 5))
        (event,) = await take(stream, 1)
    del event["cursor"]
    golden.check("cloudevent", event)


async def test_resumes_after_the_last_event_id(serving: Serving) -> None:
    async with events(serving) as stream:
        await put(serving.log, window(0, 1), window(0, 2))
        first, second = await take(stream, 2)
    await put(serving.log, window(0, 3), ALERT)
    async with events(serving, last_id=first["cursor"]) as stream:
        again = await take(stream, 3)
    assert again[0] == second
    assert [event["data"].get("views_gained") for event in again] == [2, 3, None]
    assert again[2]["type"] == "analyticbot.alert"


async def test_a_topic_that_a_cursor_does_not_name_is_read_from_its_beginning(
    serving: Serving,
) -> None:
    async with events(serving) as stream:
        await put(serving.log, ALERT)
        await take(stream, 1)
        await put(serving.log, window(0, 1))
        (last,) = await take(stream, 1)
    named = {p: at for p, at in cursor.decode(last["cursor"]).items() if p.topic == WINDOWS.name}
    await put(serving.log, window(0, 2))
    async with events(serving, last_id=cursor.encode(named)) as stream:
        found = await take(stream, 2)
    assert {event["data"]["kind"] for event in found} == {"alert", "activity"}
    half = {p: at for p, at in named.items() if p.number == 0}
    refused = await serving.get(PATH, {"Last-Event-ID": cursor.encode(half)})
    assert (refused.status_code, refused.json()["title"]) == (400, "Bad cursor")


async def test_history_since_a_time_then_live(serving: Serving) -> None:
    await put(serving.log, window(0, 1), window(5, 2))
    async with events(serving, "?since=2026-03-01T12:05:00Z") as stream:
        (old,) = await take(stream, 1)
        await put(serving.log, window(6, 3))
        (new,) = await take(stream, 1)
    assert (old["data"]["views_gained"], new["data"]["views_gained"]) == (2, 3)


async def test_filters(serving: Serving) -> None:
    query = "?channels=1234&types=analyticbot.alert,analyticbot.window.activity"
    await put(serving.log, summary("One"))
    async with events(serving, query) as stream:
        await put(
            serving.log, summary("Two"), window(0, 1), summary("Other", OTHER), ALERT, window(0, 2)
        )
        found = await take(stream, 3)
    assert sorted(event["type"] for event in found) == [
        "analyticbot.alert",
        "analyticbot.window.activity",
        "analyticbot.window.activity",
    ]


async def test_sequence_sorts_as_text(serving: Serving) -> None:
    async with events(serving) as stream:
        await put(serving.log, *(window(0, views) for views in range(12)))
        found = await take(stream, 12)
    sequences = [event["sequence"] for event in found]
    assert sequences == sorted(sequences)
    assert len({event["id"] for event in found}) == 12


async def test_heartbeats_while_nothing_happens(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "HEARTBEAT_S", 0.05)
    async with serving.http.stream("GET", PATH) as response:
        async with asyncio.timeout(PATIENCE_S):
            async for line in response.aiter_lines():
                if line.startswith(":"):
                    break


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?form=1", 400, "unknown-parameter"),
        ("?types=analyticbot.nothing", 400, "bad-parameter"),
        ("?since=yesterday", 400, "bad-parameter"),
        ("?channels=!!", 400, "invalid-channel"),
        ("?channels=nobody", 404, "channel-unknown"),
    ],
)
async def test_refused(serving: Serving, query: str, status: int, code: str) -> None:
    response = await serving.get(PATH + query)
    assert response.status_code == status
    assert response.json()["type"].rpartition(":")[2] == code


async def test_broken_cursor_is_refused(serving: Serving) -> None:
    response = await serving.get(PATH, {"Last-Event-ID": "nonsense"})
    assert (response.status_code, response.json()["title"]) == (400, "Bad cursor")


class Trimmed:
    """A log of which retention has removed the first records: only its bounds say so."""

    def __init__(self, log: Log, first: int) -> None:
        self._log = log
        self._first = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def bounds(self, topic: str) -> dict[Partition, Bounds]:
        found = await self._log.bounds(topic)
        return {p: Bounds(min(self._first, b.next), b.next) for p, b in found.items()}


async def test_what_is_gone_is_refused_with_the_floor(serving: Serving, log: Log) -> None:
    async with events(serving) as stream:
        await put(log, window(0, 0))
        (first,) = await take(stream, 1)
    await put(log, *(window(minute, 1) for minute in range(1, 6)))
    async with Serving(Trimmed(log, 3), FixedReader()) as later:  # type: ignore[arg-type]
        old = await later.get(PATH, {"Last-Event-ID": first["cursor"]})
        early = await later.get(f"{PATH}?since=2026-03-01T12:00:00Z")
    for response in (old, early):
        assert (response.status_code, response.json()["title"]) == (410, "Cursor too old")
        assert "2026-03-01T12:03:00Z" in response.json()["detail"]


async def test_stop_ends_open_streams(log: Log) -> None:
    async with Serving(log, FixedReader()) as serving, events(serving) as stream:
        started = time.monotonic()
        await serving.server.stop()
        assert time.monotonic() - started < 3.0 * BUSY
        assert [event async for event in stream] == []


async def test_every_type_is_described(serving: Serving) -> None:
    document = (await serving.get("/asyncapi.json")).json()
    described = {message["name"] for message in document["components"]["messages"].values()}
    assert set(TYPES.values()) <= described
    assert document["asyncapi"] == "3.1.0"
    golden.check("asyncapi_channels", document["channels"])


async def test_streams_that_are_left_leave_nothing_behind(serving: Serving) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(5):
        async with events(serving) as stream:
            await put(serving.log, window(0, 1))
            await take(stream, 1)
    await put(serving.log, window(0, 2))
    await until(lambda: len(asyncio.all_tasks()) <= before)
