"""The live socket, from a real client over a real server."""

import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api import hub, live_socket
from api.live_known import Known
from api.messages import Change, Changes, Figures, Gap, Snapshot, Tick
from streams.analytics import ActivityWindow, ChannelSummary
from streams.kinds import upsert_key
from streams.log import Draft, Log
from streams.topics import WINDOWS
from tests.api.reading import AwayReader, FixedReader
from tests.api.serving import (
    CHANNEL,
    NOW_MS,
    OTHER,
    PATIENCE_S,
    Serving,
    frame,
    next_of,
    open_log,
    put,
    summary,
    until,
)
from tests.patience import BUSY


def window(minute: int, views: int) -> ActivityWindow:
    start_ms = NOW_MS + minute * 60_000
    return ActivityWindow(
        channel_id=CHANNEL, observed_at_ms=start_ms, start_ms=start_ms, views_gained=views
    )


def decided(changes: Changes) -> list[Change]:
    """What a frame tells beside the figures, which move with the clock as well."""
    return [upsert.value for upsert in changes.data if not isinstance(upsert.value, Figures)]


async def test_snapshot_then_changes(serving: Serving) -> None:
    await put(serving.log, summary("One"), window(0, 5))
    await until(lambda: serving.live.view.everything().windows)
    async with serving.connect("?channels=durov") as socket:
        first = frame(await socket.recv())
        assert isinstance(first, Snapshot)
        assert (first.data.channels, first.data.windows) == ([summary("One")], [window(0, 5)])
        assert first.now_ms == NOW_MS
        await put(serving.log, window(0, 7))
        changes = await next_of(socket, Changes)
    assert changes.data[0].key == upsert_key(window(0, 7))
    assert decided(changes) == [window(0, 7)]


async def test_a_list_of_channels_comes_with_figures_and_columns(serving: Serving) -> None:
    """Sampled every five minutes for half an hour: 30 of 60 minutes, and not an hour."""
    windows = [
        msgspec.structs.replace(
            window(minute, 100),
            sampled_from_ms=NOW_MS + (minute - 5) * 60_000,
            sampled_to_ms=NOW_MS + minute * 60_000,
            samples=2,
        )
        for minute in range(-25, 5, 5)
    ]
    await put(serving.log, summary("One"), *windows[:-1])
    await until(lambda: len(serving.live.view.everything().windows) == 5)
    async with serving.connect() as socket:
        first = frame(await socket.recv())
        assert isinstance(first, Snapshot)
        assert (first.data.windows, first.data.posts) == ([], [])
        [minutes] = first.data.minutes
        assert minutes.from_ms == NOW_MS - 3_600_000
        assert [i for i, views in enumerate(minutes.views) if views] == [35, 40, 45, 50, 55]
        [figures] = first.data.figures
        # From 11:30 to 11:55, of the time since 11:01.
        sampled_ms = NOW_MS - 5 * 60_000
        assert figures.hour == Known(500, 25 / 59, 10, sampled_ms)
        assert figures.today == Known(1, 0.75, 1, NOW_MS - 1_500)
        await put(serving.log, windows[-1])
        while windows[-1] not in decided(changes := await next_of(socket, Changes)):
            pass
    told = {upsert.key: upsert.value for upsert in changes.data}
    assert told[f"{CHANNEL}/figures"].hour == Known(600, 30 / 59, 12, NOW_MS)


async def test_figures_are_told_again_when_a_minute_has_passed(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(serving.log, summary("One"), window(-59, 5))
    await until(lambda: serving.live.view.everything().windows)
    async with serving.connect() as socket:
        assert (await next_of(socket, Snapshot)).data.figures[0].hour.value == 5
        monkeypatch.setattr(serving.clock, "now_ms", lambda: NOW_MS + 60_000)
        hour = None
        while hour != Known(None, 0.0, 0, None):
            [upsert] = (await next_of(socket, Changes)).data
            assert upsert.key == f"{CHANNEL}/figures"
            hour = upsert.value.hour


async def test_posts_of_today_are_unknown_while_history_is_away(log: Log) -> None:
    await put(log, summary("One"))
    async with Serving(log, AwayReader()) as serving, serving.connect() as socket:
        first = await next_of(socket, Snapshot)
    assert first.data.figures[0].today == Known(None, 0.0, 0, None)


async def test_history_of_the_log_is_there_from_the_start(log: Log) -> None:
    await put(log, summary("One"), window(0, 5))
    async with (
        Serving(log, FixedReader()) as serving,
        serving.connect("?channels=durov") as socket,
    ):
        first = await next_of(socket, Snapshot)
    assert (first.data.channels, first.data.windows) == ([summary("One")], [window(0, 5)])


async def test_only_the_channels_asked_for(serving: Serving) -> None:
    await put(serving.log, summary("One"), summary("Two", OTHER, username="other"))
    await until(lambda: len(serving.live.view.channels) == 2)
    async with serving.connect("?channels=@Other") as socket:
        first = await next_of(socket, Snapshot)
        assert [c.channel_id for c in first.data.channels] == [OTHER]
        await put(serving.log, summary("One again"))
        await put(serving.log, summary("Two again", OTHER, username="other"))
        changes = await next_of(socket, Changes)
    assert decided(changes) == [summary("Two again", OTHER, username="other")]


async def test_resume_gives_what_was_missed(serving: Serving) -> None:
    await put(serving.log, window(0, 1))
    async with serving.connect() as socket:
        await next_of(socket, Snapshot)
        await put(serving.log, window(0, 2))
        cursor = (await next_of(socket, Changes)).cursor
    await put(serving.log, window(0, 3), window(1, 4), summary("Two", OTHER, username="other"))
    await until(lambda: len(serving.live.view.everything().windows) == 2)
    async with serving.connect(f"?channels=durov&resume={cursor}") as socket:
        first = frame(await socket.recv())
    assert isinstance(first, Changes)
    assert decided(first) == [window(0, 3), window(1, 4)]
    assert first.data[-1].key == f"{CHANNEL}/figures"


async def test_resume_at_the_end_gives_a_frame_without_news(serving: Serving) -> None:
    await put(serving.log, window(0, 1))
    await until(lambda: serving.live.view.everything().windows)
    async with serving.connect(f"?resume={serving.live.cursor}") as socket:
        first = frame(await socket.recv())
    assert isinstance(first, Changes)
    assert decided(first) == []


async def test_cursor_of_another_log_is_a_gap(serving: Serving, tmp_path: Path) -> None:
    await put(serving.log, window(0, 1))
    await until(lambda: serving.live.view.everything().windows)
    other = await open_log(tmp_path / "other")
    await put(other, window(5, 1), window(6, 1))
    async with (
        Serving(other, FixedReader()) as later,
        later.connect(f"?resume={serving.live.cursor}") as socket,
    ):
        gap, first = frame(await socket.recv()), frame(await socket.recv())
    await other.close()
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.from_) == ("cursor_unknown", serving.live.cursor)
    assert isinstance(first, Snapshot)


async def test_broken_cursor_is_a_gap(serving: Serving) -> None:
    async with serving.connect("?resume=nonsense") as socket:
        gap, first = frame(await socket.recv()), frame(await socket.recv())
    assert isinstance(gap, Gap)
    assert gap.reason == "cursor_unknown"
    assert isinstance(first, Snapshot)


async def test_too_much_missed_is_a_gap(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live_feed.MISSED_AT_MOST", 3)
    cursor = serving.live.cursor
    await put(serving.log, *(window(minute, 1) for minute in range(4)))
    await until(lambda: len(serving.live.view.everything().windows) == 4)
    async with serving.connect(f"?resume={cursor}") as socket:
        gap = frame(await socket.recv())
    assert isinstance(gap, Gap)
    assert gap.reason == "too_much_missed"


async def test_ticks_while_nothing_changes(serving: Serving) -> None:
    async with serving.connect() as socket:
        tick = await next_of(socket, Tick)
    assert tick.now_ms == NOW_MS


@pytest.mark.parametrize(
    ("query", "code"),
    [("?channel=durov", 4400), ("?channels=!!", 4400), ("?channels=durov,nobody", 4404)],
)
async def test_refused_after_the_handshake(serving: Serving, query: str, code: int) -> None:
    async with serving.connect(query) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == code


async def test_undecodable_messages_are_counted_and_passed_over(serving: Serving) -> None:
    async with serving.connect() as socket:
        await next_of(socket, Snapshot)
        await serving.log.append([Draft(WINDOWS.name, b"1", b"\xc1", NOW_MS)])
        await put(serving.log, summary("One"))
        assert (await next_of(socket, Changes)).data[0].value == summary("One")
    text = (await serving.get("/metrics")).text
    assert 'analyticbot_dropped_total{reason="broken_bytes",stage="live"} 1.0' in text


async def test_a_burst_costs_few_frames(serving: Serving) -> None:
    async with serving.connect() as socket:
        await next_of(socket, Snapshot)
        for views in range(200):
            await put(serving.log, window(0, views))
        frames = 0
        newest: Change | None = None
        while newest != window(0, 199):
            # A frame may tell of figures alone: the clock ticks meanwhile.
            newest = [newest, *decided(await next_of(socket, Changes))][-1]
            frames += 1
    assert frames < 150


async def test_slow_client_gets_a_gap_while_others_flow(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BACKLOG_FRAMES", 8)
    monkeypatch.setattr("api.live_feed.FRAME_EVERY_S", 0.0)
    rounds, title = 60, "x" * 200_000
    async with (
        serving.connect(max_queue=1, max_size=None) as slow,
        serving.connect(max_size=None) as quick,
    ):
        await next_of(quick, Snapshot)
        for number in range(rounds):
            await put(serving.log, summary(f"{number} {title}"))
            seen = await next_of(quick, Changes)
            assert isinstance(seen.data[0].value, ChannelSummary)
            assert (seen.data[0].value.title or "").startswith(f"{number} ")
        assert all(c.queued <= 8 for c in serving.live.hub.connections)
        # The slow client wakes up: what it had in its pipe, the gap, and the present.
        gap = await next_of(slow, Gap)
        now = await next_of(slow, Snapshot)
    assert gap.reason == "slow_client"
    assert gap.from_ is not None
    assert (now.data.channels[0].title or "").startswith(f"{rounds - 1} ")
    assert 'reason="slow_client"' in (await serving.get("/metrics")).text


async def test_client_that_takes_nothing_is_closed(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_socket, "WRITE_TIMEOUT_S", 0.2)
    monkeypatch.setattr("api.live_feed.FRAME_EVERY_S", 0.0)
    async with serving.connect(max_queue=1, max_size=None, close_timeout=0.1):
        await until(lambda: len(serving.live.hub) == 1)
        async with asyncio.timeout(PATIENCE_S):
            while len(serving.live.hub):
                await put(serving.log, summary("x" * 500_000))


async def test_connections_are_forgotten(serving: Serving) -> None:
    for _ in range(20):
        async with serving.connect() as socket:
            await next_of(socket, Snapshot)
    await until(lambda: len(serving.live.hub) == 0)
    assert "analyticbot_live_connections 0.0" in (await serving.get("/metrics")).text


async def test_stop_with_clients_takes_less_than_three_seconds(log: Log) -> None:
    async with Serving(log, FixedReader()) as serving:
        sockets = [await serving.connect(close_timeout=0.1) for _ in range(10)]
        stuck = [await serving.connect(max_queue=1, close_timeout=0.1) for _ in range(3)]
        for number in range(40):
            await put(log, summary(f"{number}" + "x" * 200_000))
        await next_of(sockets[0], Snapshot)
        started = time.monotonic()
        await serving.server.stop()
        assert time.monotonic() - started < 3.0 * BUSY
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await asyncio.wait_for(sockets[0].recv(), PATIENCE_S)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
        for socket in [*sockets, *stuck]:
            await socket.close()


async def test_pages_of_other_origins_get_no_socket(serving: Serving) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await serving.connect(origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403
    async with serving.connect(origin=serving.server.url) as socket:  # type: ignore[arg-type]
        await next_of(socket, Snapshot)
