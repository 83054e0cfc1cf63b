"""How `make test` shares tests among its processes; tests/conftest.py takes the hooks from here.

The tests of a file stay in one process, so that what a module's fixture starts is started once. All
tests that need brokers run in one process, because two cores do not run two clusters at a time.
They come first, then what takes long, so that all processes have something to do until the end.

pytest-xdist's `--dist loadgroup` cannot do this: it writes a group into a private attribute of a
test, which pytest does not read since 9.2, and then shares out every test by itself.
"""

import os
from functools import cache
from pathlib import Path
from re import compile as pattern
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parent.parent
#: Fixtures that run brokers, as parameters of a test.
_FIXTURES = ("broker", "brokers", "kafka", "kafka_cluster", "lonely_broker")
_TAKES_ONE = pattern(rf"\b(?:{'|'.join(_FIXTURES)}): ")
#: Folders and files whose tests run brokers without these, or run as much as a broker.
_ALL_OF = (
    "tests/faults/",
    "tests/kafka/",
    "tests/streams/kafka/",
    "tests/analyticbot/test_takeover.py",
)
#: Processes, however many cores there are: each may run a demo, an engine of history and a browser.
_MOST = 4
#: More than half a minute each.
_LONG = ("tests/web/", "tests/toy/", "tests/test_recomputed.py", "tests/watching/", "tests/system/")


def unit(nodeid: str) -> str:
    """What one process runs as a whole: a file, or all that needs brokers."""
    file = nodeid.partition("::")[0]
    return "brokers" if _needs_brokers(file) else file


class ByUnit(LoadFileScheduling):
    """Hands out units in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByUnit:
    return ByUnit(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: half of the time tests wait for processes and leases."""
    return min((os.cpu_count() or 1) + 1, _MOST)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raises pytest.UsageError for a test that would run brokers outside of its unit."""
    for item in items:
        takes = {*getattr(item, "fixturenames", ())}.intersection(_FIXTURES)
        if takes and unit(item.nodeid) != "brokers":
            file = item.nodeid.partition("::")[0]
            raise pytest.UsageError(
                f"{file}: {item.name} needs brokers and does not say so: take {min(takes)} as a"
                " parameter with its type, or name the file in tests/distribution.py"
            )
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    if unit(nodeid) == "brokers":
        return 0
    return 1 if nodeid.startswith(_LONG) else 2


@cache
def _needs_brokers(file: str) -> bool:
    path = ROOT / file
    return file.startswith(_ALL_OF) or (
        path.is_file() and _TAKES_ONE.search(path.read_text()) is not None
    )
