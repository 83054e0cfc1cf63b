"""Every metric has a meaning, and something that sets it."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from streams import metrics
from streams.metrics import COUNTERS, GAUGES, HISTOGRAMS, Metrics
from tools import metrics_page

ROOT = Path(__file__).parents[2]
SETTERS = {"count", "gauge", "observe"}
#: What stands for a name: Metrics.received(…) counts analyticbot_received_total.
SHORT = {
    "received": "analyticbot_received_total",
    "sent": "analyticbot_sent_total",
    "dropped": "analyticbot_dropped_total",
    "error": "analyticbot_errors_total",
    "samples": "analyticbot_samples_total",
    "lag": "analyticbot_lag_messages",
    "arrived": "analyticbot_end_to_end_seconds",
}


def test_every_name_has_a_meaning() -> None:
    assert set(COUNTERS) == set(get_args(metrics.CounterName))
    assert set(GAUGES) == set(get_args(metrics.GaugeName))
    assert set(HISTOGRAMS) == set(get_args(metrics.HistogramName))


def test_the_meaning_is_what_is_told_of_a_metric() -> None:
    told = {family.name: family.documentation for family in Metrics().registry.collect()}
    for name, meaning in (*COUNTERS.items(), *GAUGES.items(), *HISTOGRAMS.items()):
        assert told[name.removesuffix("_total")] == meaning.help
        assert meaning.help.endswith(".")


def test_the_page_of_metrics_is_fresh() -> None:
    assert (ROOT / "docs/METRICS.md").read_text() == metrics_page.page()


def _set_somewhere() -> set[str]:
    found: set[str] = set()
    for package in ("agents", "analyticbot", "api", "bot", "clickhouse", "streams", "tables"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "metrics.py":
                found |= _set_in(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _set_in(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            of, method = ast.unparse(call.func.value), call.func.attr
            if method in SHORT and of.endswith("metrics"):
                names.add(SHORT[method])
            elif method in SETTERS and call.args and isinstance(call.args[0], ast.Constant):
                names.add(str(call.args[0].value))
    return names


@pytest.mark.parametrize("name", [*COUNTERS, *GAUGES, *HISTOGRAMS])
def test_every_metric_is_set_by_something(name: str) -> None:
    assert name in _set_somewhere()
