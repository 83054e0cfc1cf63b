"""docs/METRICS.md, from the table of metrics."""

from collections.abc import Iterable

from streams.metrics import COUNTERS, GAUGES, HISTOGRAMS, Meaning

HEAD = """# Metrics

Every role serves its metrics at `/metrics`, in the text format of Prometheus. `streams/metrics.py`
names all of them. Every stage counts the same four, after success: received, sent, dropped by
reason, errors by kind. Labels take values from small sets and never name a channel. A metric that a
role does not set has no series there, or stays 0. `process_*` metrics report memory, CPU
time, open files and start of the process.

Every worker reports the lag of every partition, including those without an owner: take
`max by (stage, topic, partition)` before you sum.
"""


def page() -> str:
    counters = _table("Counters", (_row(*named) for named in COUNTERS.items()))
    gauges = _table("Gauges", (_row(*named) for named in GAUGES.items()))
    return HEAD + counters + gauges + _table("Histograms", map(_buckets_row, HISTOGRAMS.items()))


def _table(title: str, rows: Iterable[str]) -> str:
    return f"\n## {title}\n\n| name | labels | meaning |\n|---|---|---|\n" + "".join(rows)


def _row(name: str, meaning: Meaning) -> str:
    labels = ", ".join(f"`{label}`" for label in meaning.labels) or "—"
    return f"| `{name}` | {labels} | {meaning.help} |\n"


def _buckets_row(named: tuple[str, Meaning]) -> str:
    name, meaning = named
    bounds = ", ".join(f"{bound:g}" for bound in meaning.buckets or ())
    return _row(name, meaning._replace(help=f"{meaning.help} Buckets: {bounds}."))
