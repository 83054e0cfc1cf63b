"""The agents count the same four as every stage, after success."""

from pathlib import Path

import pytest

from streams import topics
from streams.analytics import ActivityWindow
from streams.codec import encode
from streams.events import SubscribersSampled
from streams.ids import ChannelId
from streams.log import Draft
from streams.topics import channel_key
from tests.agents.working import append, drafts_of, working

T = 1_760_000_040_000
CHANNEL = ChannelId(42)


async def test_updates_count_the_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = SubscribersSampled(channel_id=CHANNEL, observed_at_ms=T, subscribers=5)
    bad = Draft(topics.UPDATES.name, channel_key(CHANNEL), b"\xc1", T)
    async with working(tmp_path) as work:
        await append(work.log, [*drafts_of([event]), bad])
        await work.settled()
        assert work.counted("received", stage="updates") == 2
        windows = sum(
            bounds.next for bounds in (await work.log.bounds(topics.WINDOWS.name)).values()
        )
        assert work.counted("sent", stage="updates") == windows > 0
        assert work.counted("dropped", stage="updates", reason="broken_bytes") == 1
        monkeypatch.setattr("agents.updates.handler.fold_update", _fails)
        await append(work.log, drafts_of([event]))
        assert isinstance(await work.failed(), ArithmeticError)
        assert work.counted("errors", stage="updates", kind="ArithmeticError") == 1


async def test_spikes_count_the_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = [_window(minute, 20) for minute in range(90)]
    bad = Draft(topics.WINDOWS.name, channel_key(CHANNEL), b"\xc1", T)
    async with working(tmp_path) as work:
        await append(work.log, [*quiet, _window(90, 20_000), bad])
        await work.settled()
        assert work.counted("received", stage="windows") == 92
        alerts = sum(bounds.next for bounds in (await work.log.bounds(topics.ALERTS.name)).values())
        assert work.counted("sent", stage="spikes") == alerts > 0
        assert work.counted("dropped", stage="windows", reason="broken_bytes") == 1
        monkeypatch.setattr("agents.spikes.row.Spikes.see", _fails)
        await append(work.log, [_window(91, 1)])
        assert isinstance(await work.failed(), ArithmeticError)
        assert work.counted("errors", stage="windows", kind="ArithmeticError") == 1


def _fails(*_arguments: object) -> object:
    raise ArithmeticError("a bug")


def _window(minute: int, views: int) -> Draft:
    start_ms = T + minute * 60_000
    window = ActivityWindow(
        channel_id=CHANNEL, observed_at_ms=start_ms + 59_000, start_ms=start_ms,
        views_gained=views, samples=100, views_pace=float(views), closed=True,
    )  # fmt: skip
    return Draft(topics.WINDOWS.name, channel_key(CHANNEL), encode(window), start_ms + 59_000)
