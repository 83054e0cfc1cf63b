"""Brokers that a test may stop and kill: each test has its own. And what was measured."""

from collections.abc import Iterator

import pytest

from tests.faults.figures import KEY, Figures
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started


@pytest.fixture
def broker() -> Iterator[Cluster]:
    """One broker."""
    yield from started(Cluster(1))


@pytest.fixture
def brokers() -> Iterator[Cluster]:
    """Three brokers."""
    yield from started(Cluster(3))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        (report.nodeid, value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for key, value in report.user_properties
        if key == KEY
    ]
    if told:
        terminalreporter.section("what faults cost")
        for test, value in told:
            terminalreporter.write_line(f"{test.rpartition('::')[2]}: {value}")
