"""The names of all metrics, with unit, labels and meaning; docs/METRICS.md is generated from them.

Every stage counts the same four, after success: received, sent, dropped by reason, errors by kind.
Labels take values from small sets: stages, reasons, kinds, tables, partitions; never a channel.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streams.log import Partition

M = TypeVar("M", Counter, Gauge, Histogram)
N = TypeVar("N", bound=str)

#: Those beside the inputs and decisions of the pipeline, which are named by their declarations.
Stage = Literal["api", "bot", "collector", "history", "live", "log", "taps"]
#: Where an observation arrives: in a window that was sent, a frame of the live socket, history,
#: a message of the bot.
End = Literal["bot", "history", "socket", "window"]

CounterName = Literal[
    "analyticbot_dropped_total",
    "analyticbot_errors_total",
    "analyticbot_received_total",
    "analyticbot_samples_total",
    "analyticbot_sent_total",
]
GaugeName = Literal[
    "analyticbot_disk_free_bytes",
    "analyticbot_disk_size_bytes",
    "analyticbot_fill_messages",
    "analyticbot_lag_messages",
    "analyticbot_lease_held",
    "analyticbot_live_connections",
    "analyticbot_log_held",
    "analyticbot_queued_messages",
    "analyticbot_table_bytes",
    "analyticbot_table_rows",
    "analyticbot_tasks",
    "analyticbot_watermark_delay_seconds",
]
HistogramName = Literal[
    "analyticbot_commit_seconds",
    "analyticbot_end_to_end_seconds",
    "analyticbot_recovery_seconds",
    "analyticbot_stage_seconds",
]

_WORK = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
         5, 10, 30)  # fmt: skip
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECOVERY = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300)
_WAY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)

#: An observation older than this came from a recording: its delay is not measured.
OLD_S = 86_400


class Meaning(NamedTuple):
    #: The help text in /metrics.
    help: str
    labels: tuple[str, ...] = ("stage",)
    #: Of a histogram: upper bounds in its unit.
    buckets: tuple[float, ...] | None = None


COUNTERS: Mapping[CounterName, Meaning] = {
    "analyticbot_dropped_total": Meaning(
        "Messages that a stage dropped or altered, by reason: dead letters, late, repeated or"
        " corrected messages, and those lost to retention or a full queue.",
        ("stage", "reason"),
    ),
    "analyticbot_errors_total": Meaning("Failures of a stage, by kind.", ("stage", "kind")),
    "analyticbot_received_total": Meaning("Messages, updates or requests that a stage received."),
    "analyticbot_samples_total": Meaning(
        "Posts whose counters were in messages that a stage folded or stored."
    ),
    "analyticbot_sent_total": Meaning(
        "Messages, rows, responses or frames that a stage sent successfully."
    ),
}
GAUGES: Mapping[GaugeName, Meaning] = {
    "analyticbot_disk_free_bytes": Meaning(
        "Free bytes on the file system of this process's state.", ()
    ),
    "analyticbot_disk_size_bytes": Meaning(
        "Size in bytes of the file system of this process's state.", ()
    ),
    "analyticbot_fill_messages": Meaning(
        "Messages that a decision has still to fold in the tasks of this process before it is live"
        " there: it is new, or an operator had it rebuilt.",
        ("decision",),
    ),
    "analyticbot_lag_messages": Meaning(
        "Messages in a partition of the log that a stage has not processed.",
        ("stage", "topic", "partition"),
    ),
    "analyticbot_lease_held": Meaning(
        "Leases that this process holds, by kind.",
        ("kind",),
    ),
    "analyticbot_live_connections": Meaning("Open connections of the live socket.", ()),
    "analyticbot_log_held": Meaning(
        "1 while the embedded log pauses intake because its disk has too little room, else 0.", ()
    ),
    "analyticbot_queued_messages": Meaning(
        "Messages that a stage has received and the log has not acknowledged yet."
    ),
    "analyticbot_table_bytes": Meaning("Bytes on disk of all tables of this process.", ()),
    "analyticbot_table_rows": Meaning(
        "Rows of a table in this process; on Kafka about the rows of `all` tables, with standbys.",
        ("table",),
    ),
    "analyticbot_tasks": Meaning(
        "Tasks of this process (a task is one partition of every input topic), by state: active,"
        " standby, recovering.",
        ("state",),
    ),
    "analyticbot_watermark_delay_seconds": Meaning(
        "Seconds since the channels of a partition were last observed: the median and the worst of"
        " the channels observed within a day.",
        ("partition", "of"),
    ),
}
HISTOGRAMS: Mapping[HistogramName, Meaning] = {
    "analyticbot_commit_seconds": Meaning(
        "Seconds per commit, which makes outputs, state and the position in the input durable.",
        buckets=_COMMIT,
    ),
    "analyticbot_end_to_end_seconds": Meaning(
        "Seconds from an observation to its arrival: in a window that was sent, a frame of the live"
        " socket, history, a message of the bot. Observations older than a day (a recording, an"
        " import) do not count.",
        ("to",),
        _WAY,
    ),
    "analyticbot_recovery_seconds": Meaning(
        "Seconds from the assignment of a task until its tables were up to date.", (), _RECOVERY
    ),
    "analyticbot_stage_seconds": Meaning(
        "Seconds per unit of a stage's work: a request (api), a stored batch (history), a message"
        " as the mean of its batch (updates, windows).",
        buckets=_WORK,
    ),
}


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters = self._made(Counter, COUNTERS)
        self._gauges = self._made(Gauge, GAUGES)
        self._histograms = self._made(Histogram, HISTOGRAMS)
        #: Series by labels: looking one up in the client library costs more than counting.
        self._series: dict[tuple[object, ...], Any] = {}

    def count(self, name: CounterName, amount: float = 1, **labels: str) -> None:
        self._of(self._counters[name], name, labels).inc(amount)

    def gauge(self, name: GaugeName, value: float, **labels: str) -> None:
        self._of(self._gauges[name], name, labels).set(value)

    def observe(self, name: HistogramName, seconds: float, **labels: str) -> None:
        self._of(self._histograms[name], name, labels).observe(seconds)

    def forget(self, name: GaugeName) -> None:
        """Drop all series of a gauge: its labels name things that this process may have lost."""
        self._series = {key: series for key, series in self._series.items() if key[0] != name}
        self._gauges[name].clear()

    def received(self, stage: str, amount: int = 1) -> None:
        """`stage` is a Stage, or that of an input or a decision; also in what follows."""
        self.count("analyticbot_received_total", amount, stage=stage)

    def samples(self, stage: str, amount: int) -> None:
        self.count("analyticbot_samples_total", amount, stage=stage)

    def sent(self, stage: str, amount: int = 1) -> None:
        self.count("analyticbot_sent_total", amount, stage=stage)

    def dropped(self, stage: str, reason: str, amount: int = 1) -> None:
        self.count("analyticbot_dropped_total", amount, stage=stage, reason=reason)

    def error(self, stage: str, kind: str) -> None:
        self.count("analyticbot_errors_total", stage=stage, kind=kind)

    def lag(self, stage: str, partition: Partition, messages: int) -> None:
        topic, number = partition
        labels = {"stage": stage, "topic": topic, "partition": str(number)}
        self.gauge("analyticbot_lag_messages", messages, **labels)

    def arrived(self, to: End, seconds: float) -> None:
        if seconds < OLD_S:
            self.observe("analyticbot_end_to_end_seconds", max(seconds, 0), to=to)

    def _of(self, metric: M, name: str, labels: dict[str, str]) -> M:
        if not labels:
            return metric
        key = (name, *labels.items())
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = metric.labels(**labels)
        return series

    def _made(self, kind: type[M], meanings: Mapping[N, Meaning]) -> dict[N, M]:
        made: dict[N, M] = {}
        for name, meaning in meanings.items():
            settings: Any = {"buckets": meaning.buckets} if meaning.buckets else {}
            made[name] = kind(
                name, meaning.help, meaning.labels, registry=self.registry, **settings
            )
        return made
