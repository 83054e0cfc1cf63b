"""The names of all metrics, with unit and meaning: the page of the documentation is this file.

Every stage counts the same four: received, sent, dropped by reason, errors by kind.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)
N = TypeVar("N", bound=str)

Stage = Literal["api", "bot", "collector", "history", "live", "log", "spikes", "taps", "updates"]

CounterName = Literal[
    "analyticbot_dropped_total",
    "analyticbot_errors_total",
    "analyticbot_received_total",
    "analyticbot_sent_total",
]
GaugeName = Literal["analyticbot_lag_messages", "analyticbot_live_connections"]
HistogramName = Literal["analyticbot_stage_seconds"]


class _Meaning(NamedTuple):
    #: What /metrics says of it.
    help: str
    labels: tuple[str, ...] = ("stage",)


COUNTERS: Mapping[CounterName, _Meaning] = {
    "analyticbot_dropped_total": _Meaning(
        "Messages that a stage did not take as they came: dead letters, late, repeated or corrected"
        " ones, and what retention or a full queue took, by reason.",
        ("stage", "reason"),
    ),
    "analyticbot_errors_total": _Meaning("Failures of a stage, by kind.", ("stage", "kind")),
    "analyticbot_received_total": _Meaning("Messages, updates or requests taken in by a stage."),
    "analyticbot_sent_total": _Meaning(
        "Messages, rows, answers or frames given out by a stage, after they succeeded."
    ),
}
GAUGES: Mapping[GaugeName, _Meaning] = {
    "analyticbot_lag_messages": _Meaning(
        "Messages that are in the log and that a stage has not processed."
    ),
    "analyticbot_live_connections": _Meaning("Open connections of the live socket.", ()),
}
HISTOGRAMS: Mapping[HistogramName, _Meaning] = {
    "analyticbot_stage_seconds": _Meaning(
        "Seconds that one unit of a stage's work took: a request (api), a batch stored (history),"
        " one message of every sixteen (updates, spikes)."
    ),
}


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = self._made(Counter, COUNTERS)
        self._gauges = self._made(Gauge, GAUGES)
        self._histograms = self._made(Histogram, HISTOGRAMS)

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def gauge(self, name: GaugeName, value: float, **labels: str) -> None:
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, name: HistogramName, seconds: float, **labels: str) -> None:
        self._histograms[name].labels(**labels).observe(seconds)

    def received(self, stage: Stage, amount: int = 1) -> None:
        self.count("analyticbot_received_total", amount, stage=stage)

    def sent(self, stage: Stage, amount: int = 1) -> None:
        self.count("analyticbot_sent_total", amount, stage=stage)

    def dropped(self, stage: Stage, reason: str, amount: int = 1) -> None:
        self.count("analyticbot_dropped_total", amount, stage=stage, reason=reason)

    def error(self, stage: Stage, kind: str) -> None:
        self.count("analyticbot_errors_total", stage=stage, kind=kind)

    def _made(self, kind: type[M], meanings: Mapping[N, _Meaning]) -> dict[N, M]:
        return {
            name: kind(name, meaning.help, meaning.labels, registry=self.registry)
            for name, meaning in meanings.items()
        }
