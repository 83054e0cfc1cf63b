"""What is unavailable is retried with growing pauses, and is two lines of the log an outage."""

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest

from streams.metrics import Metrics
from streams.outage import Outage
from streams.pauses import JITTER, Pauses
from streams.retry import Retry, Transient

logger = logging.getLogger(__name__)
TRANSIENT: Transient = {BrokenPipeError: None, ConnectionError: "log", TimeoutError: "control"}


class Time:
    """Passes while somebody sleeps, and nowhere else."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []

    async def sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        self.now_s += duration_s

    def pauses(self, jitter: float = 0.0) -> Pauses:
        return Pauses(1.0, 4.0, self.sleep, lambda: jitter)


def retry_in(time: Time, **options: object) -> Retry:
    given: dict[str, object] = {"pauses": time.pauses(), "now_s": lambda: time.now_s, **options}
    return Retry(TRANSIENT, logger, **given)  # type: ignore[arg-type]


def failing(*errors: Exception) -> Callable[[], "asyncio.Future[str]"]:
    """Work that raises these one after the other, and then returns."""
    left: Iterator[Exception] = iter(errors)

    async def work() -> str:
        for error in left:
            raise error
        return "done"

    return lambda: asyncio.ensure_future(work())


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[object, ...]]:
    names = ("what", "reason", "after_s")
    return [
        (each.getMessage(), *(vars(each)[name] for name in names if name in vars(each)))
        for each in caplog.records
    ]


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


async def test_pauses_grow_to_the_longest_and_an_outage_is_two_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time, metrics = Time(), Metrics()
    retry = retry_in(time, count=(metrics, "history"))
    errors = [ConnectionError("no route"), *(ConnectionError("refused") for _ in range(4))]
    assert await retry.call(failing(*errors)) == "done"
    assert time.slept == [1, 2, 4, 4, 4]
    assert lines(caplog) == [("unavailable", "log", "no route"), ("available", "log", 15.0)]
    assert (retry.what, retry.trouble) == (None, "")
    counted = {"stage": "history", "kind": "log_unavailable"}
    assert metrics.registry.get_sample_value("analyticbot_errors_total", counted) == 5


async def test_the_next_outage_begins_with_the_first_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time()
    retry = retry_in(time)
    await retry.call(failing(ConnectionError("one"), ConnectionError("two")))
    await retry.call(failing(TimeoutError()))
    assert time.slept == [1, 2, 1]
    # What says nothing has a name at least.
    assert lines(caplog)[2] == ("unavailable", "control", "TimeoutError")


async def test_a_session_that_makes_progress_ends_the_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time()
    retry = retry_in(time)
    troubles: list[str] = []

    async def session() -> str:
        troubles.append(retry.trouble)
        if len(troubles) == 4:
            return "ended"
        if len(troubles) == 3:
            retry.succeeded()
        raise ConnectionError(f"cut {len(troubles)}")

    assert await retry.call(session) == "ended"
    assert troubles == ["", "cut 1", "cut 2", "cut 3"]
    assert time.slept == [1, 2, 1]
    assert [event for event, *_ in lines(caplog)] == ["unavailable", "available"] * 2


@pytest.mark.parametrize("error", [ValueError("a defect"), BrokenPipeError("named as final")])
async def test_other_errors_pass_at_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    time = Time()
    with pytest.raises(type(error)):
        await retry_in(time).call(failing(error))
    assert (time.slept, lines(caplog)) == ([], [])


async def test_a_cancellation_ends_the_pause_and_the_retry() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        asked.set()
        await never.wait()

    retry = Retry(TRANSIENT, logger, Pauses(sleep=sleep))
    calling = asyncio.create_task(retry.call(failing(ConnectionError("away"))))
    await asked.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert retry.trouble == "away"


async def test_a_limit_raises_the_last_error_instead_of_a_pause_beyond_it() -> None:
    time = Time()
    retry = retry_in(time, within_s=6.9)
    errors = [ConnectionError(str(n)) for n in range(9)]
    with pytest.raises(ConnectionError, match="2"):
        await retry.call(failing(*errors))
    assert time.slept == [1, 2]


async def test_a_pause_at_the_limit_is_the_last() -> None:
    time = Time()
    assert await retry_in(time, within_s=3).call(failing(*[ConnectionError()] * 2)) == "done"
    assert time.slept == [1, 2]


async def test_jitter_shortens_each_pause() -> None:
    time = Time()
    pauses = time.pauses(jitter=1.0)
    for _ in range(3):
        await pauses.pause()
    assert time.slept == [length * (1 - JITTER) for length in (1, 2, 4)]


async def test_without_a_logger_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    retry = Retry(TRANSIENT, pauses=time.pauses())
    assert await retry.call(failing(ConnectionError("quiet"))) == "done"
    assert lines(caplog) == []


def test_an_outage_is_told_as_it_began_and_known_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage(logger, logging.ERROR, now_s=iter([10.0, 12.34]).__next__)
    outage.end()
    outage.begin("tables", "full", needs_bytes=1)
    outage.begin("log", "fuller")
    assert (outage.what, outage.reason) == ("tables", "fuller")
    outage.end()
    outage.end()
    assert lines(caplog) == [("unavailable", "tables", "full"), ("available", "tables", 2.3)]
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]
    assert vars(caplog.records[0])["needs_bytes"] == 1
