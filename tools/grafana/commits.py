"""The log: tasks, commits, lag by partition."""

from tools.grafana.expressions import COMMIT, ERRORS, RECOVERY, lag, per_second, percentiles, total
from tools.grafana.panels import Board, Panel, Row

BOARD = Board(
    "analyticbot-log",
    "AnalyticBot: log and commits",
    [
        Row(
            "Tasks",
            [
                Panel(
                    "Tasks",
                    "A task is one partition of every input topic.",
                    [total("analyticbot_tasks", "state")],
                    "short",
                    8,
                ),
                Panel(
                    "Tasks of each worker",
                    "Those it works on.",
                    [total("analyticbot_tasks", "instance", where='state="active"')],
                    "short",
                    8,
                ),
                Panel(
                    "Recoveries",
                    "Seconds from an assignment to tables that are up to date.",
                    percentiles(RECOVERY),
                    "s",
                    8,
                ),
            ],
        ),
        Row(
            "Commits",
            [
                Panel(
                    "Commits",
                    "Commits that succeeded.",
                    [per_second(f"{COMMIT}_count", "instance", where='stage="log"')],
                    "ops",
                    8,
                ),
                Panel(
                    "Seconds a commit",
                    "Outputs, state and position, made durable.",
                    percentiles(COMMIT, "stage"),
                    "s",
                    8,
                ),
                Panel(
                    "Waiting for the log",
                    "Messages that sources have taken in and the log has not.",
                    [total("analyticbot_queued_messages", "instance")],
                    "short",
                    8,
                ),
            ],
        ),
        Row(
            "Lag",
            [
                Panel(
                    "Lag of updates",
                    "By partition.",
                    [lag("partition", where='stage="updates"')],
                    "short",
                    6,
                ),
                Panel(
                    "Lag of windows",
                    "By partition.",
                    [lag("partition", where='stage="windows"')],
                    "short",
                    6,
                ),
                Panel(
                    "Lag of history",
                    "By topic.",
                    [lag("topic", where='stage="history"')],
                    "short",
                    6,
                ),
                Panel(
                    "Errors of the log",
                    "It could not be reached, by kind.",
                    [per_second(ERRORS, "kind", where='stage="log"')],
                    "ops",
                    6,
                ),
            ],
        ),
    ],
)
