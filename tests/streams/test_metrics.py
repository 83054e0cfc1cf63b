"""Every metric has a meaning, and something that sets it."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from streams import metrics
from streams.metrics import COUNTERS, GAUGES, HISTOGRAMS, Metrics

ROOT = Path(__file__).parents[2]
SETTERS = {"count", "gauge", "observe"}
#: What stands for a name: Metrics.received(…) counts analyticbot_received_total.
SHORT = {
    "received": "analyticbot_received_total",
    "sent": "analyticbot_sent_total",
    "dropped": "analyticbot_dropped_total",
    "error": "analyticbot_errors_total",
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


def _set_somewhere() -> set[str]:
    found: set[str] = set()
    for package in ("agents", "api", "bot", "streams"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "metrics.py":
                found |= _set_in(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _set_in(tree: ast.AST) -> set[str]:
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    names = {SHORT[call.func.attr] for call in calls if call.func.attr in SHORT}  # type: ignore[attr-defined]
    for call in calls:
        first = call.args[0] if call.args else None
        if call.func.attr in SETTERS and isinstance(first, ast.Constant):  # type: ignore[attr-defined]
            names.add(str(first.value))
    return names


@pytest.mark.parametrize("name", [*COUNTERS, *GAUGES, *HISTOGRAMS])
def test_every_metric_is_set_by_something(name: str) -> None:
    assert name in _set_somewhere()
