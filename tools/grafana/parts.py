"""What several dashboards show alike."""

from tools.grafana.expressions import DROPPED, ERRORS, RECEIVED, SENT, per_second
from tools.grafana.panels import Panel, Query


def stat(title: str, told: str, query: str, unit: str = "short", **limits: float) -> Panel:
    return Panel(title, told, [Query(query)], unit, 4, "stat", **limits)


def four(stage: str) -> list[Panel]:
    """The same four of every stage."""
    where = f'stage="{stage}"'
    return [
        Panel(
            "Received",
            "What the stage took in.",
            [per_second(RECEIVED, "instance", where=where)],
            "ops",
            6,
        ),
        Panel(
            "Sent",
            "What it gave out, after it succeeded.",
            [per_second(SENT, "instance", where=where)],
            "ops",
            6,
        ),
        Panel(
            "Dropped",
            "What it did not take as it came, by reason.",
            [per_second(DROPPED, "reason", where=where)],
            "ops",
            6,
        ),
        Panel(
            "Errors", "What failed, by kind.", [per_second(ERRORS, "kind", where=where)], "ops", 6
        ),
    ]
