"""The names of all metrics, with unit and meaning: the page of the documentation is this file.

Every stage counts the same four: received, sent, dropped by reason, errors by kind.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)

Stage = Literal["api", "bot", "collector", "history", "live", "log", "spikes", "taps", "updates"]

CounterName = Literal[
    # messages taken in by a stage
    "analyticbot_received_total",
    # messages, rows or pushes given out by a stage
    "analyticbot_sent_total",
    # messages dropped, late or corrected, by reason
    "analyticbot_dropped_total",
    # failures by kind
    "analyticbot_errors_total",
]
GaugeName = Literal[
    # connections of the live socket
    "analyticbot_live_connections",
    # messages not yet taken in by a stage
    "analyticbot_lag_messages",
]
HistogramName = Literal[
    # seconds that one unit of a stage's work took
    "analyticbot_stage_seconds",
]

_LABELS: Mapping[str, tuple[str, ...]] = {
    "analyticbot_dropped_total": ("stage", "reason"),
    "analyticbot_errors_total": ("stage", "kind"),
    "analyticbot_live_connections": (),
}


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {name: self._make(Counter, name) for name in get_args(CounterName)}
        self._gauges = {name: self._make(Gauge, name) for name in get_args(GaugeName)}
        self._histograms = {name: self._make(Histogram, name) for name in get_args(HistogramName)}

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

    def _make(self, kind: type[M], name: str) -> M:
        return kind(name, name, _LABELS.get(name, ("stage",)), registry=self.registry)
