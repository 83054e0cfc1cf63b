"""Brokers that a test may stop and kill; and what was measured."""

from collections.abc import Iterator

import pytest

from tests.faults.figures import KEY, Figures
from tests.kafka.cluster import Cluster
from tests.kafka.fixtures import started


@pytest.fixture(scope="package")
def lonely_broker() -> Iterator[Cluster]:
    yield from started(Cluster(1))


@pytest.fixture
def broker(lonely_broker: Cluster) -> Iterator[Cluster]:
    """One broker. It is the same for all tests, and is up when a test begins."""
    yield lonely_broker
    if not lonely_broker.running(0):
        lonely_broker.start(0)


@pytest.fixture
def brokers() -> Iterator[Cluster]:
    """Three brokers, of this test alone."""
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
