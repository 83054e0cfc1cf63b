"""A message of a kind that only a newer version knows ends nobody's stream."""

import logging
from typing import Any

import msgspec
import pytest

from api.messages import Changes, Snapshot
from streams.log import Draft
from streams.topics import ALERTS, WINDOWS
from tests.api.serving import CHANNEL, NOW_MS, Serving, next_of, put, summary, until
from tests.api.test_counting import counted
from tests.api.test_taps import events, take


def unknown(kind: str, topic: str = WINDOWS.name) -> Draft:
    fields = {"kind": kind, "v": 1, "channel_id": CHANNEL, "observed_at_ms": NOW_MS, "score": 0.5}
    return Draft(topic, b"1234", msgspec.msgpack.encode(fields), NOW_MS)


async def test_taps_and_live_skip_and_count_it_and_say_so_once_a_kind(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with events(serving) as stream, serving.connect() as socket:
        await next_of(socket, Snapshot)
        await put(serving.log, summary("Before"))
        await serving.log.append(
            [unknown("of_tomorrow"), unknown("of_tomorrow", ALERTS.name), unknown("of_next_year")]
        )
        await put(serving.log, summary("After"))
        told = await take(stream, 2)
        assert [event["data"]["title"] for event in told] == ["Before", "After"]
        shown: list[Any] = []
        while "After" not in shown:
            changes = (await next_of(socket, Changes)).data
            shown += [getattr(change.value, "title", None) for change in changes]
        for stage in ("taps", "live"):
            await until(lambda stage=stage: _skipped(serving, stage) == 3)
    logged = [
        (record.__dict__["stage"], record.__dict__["detail"].split("'")[1])
        for record in caplog.records
        if record.message == "message_skipped"
    ]
    assert sorted(logged) == [
        ("live", "of_next_year"),
        ("live", "of_tomorrow"),
        ("taps", "of_next_year"),
        ("taps", "of_tomorrow"),
    ]


async def test_a_tap_is_resumed_at_one(serving: Serving) -> None:
    async with events(serving) as stream:
        await put(serving.log, summary("Before"))
        (before,) = await take(stream, 1)
    await serving.log.append([unknown("of_tomorrow")])
    await put(serving.log, summary("After"))
    async with events(serving, last_id=before["cursor"]) as stream:
        (after,) = await take(stream, 1)
    assert after["data"]["title"] == "After"


def _skipped(serving: Serving, stage: str) -> float | None:
    return counted(serving.metrics.registry, stage).get("dropped/unknown_kind")
