"""What goes into ClickHouse."""

from tools.grafana.expressions import SAMPLES, TOOK, WAY, lag, per_second, percentiles
from tools.grafana.panels import Board, Panel, Row
from tools.grafana.parts import four

BOARD = Board(
    "analyticbot-history",
    "AnalyticBot: history",
    [
        Row("The same four", four("history")),
        Row(
            "Batches",
            [
                Panel(
                    "Seconds a batch",
                    "Inserting and committing one batch.",
                    percentiles(TOOK, where='stage="history"'),
                    "s",
                    6,
                ),
                Panel(
                    "To history",
                    "From the observation until it can be asked for.",
                    percentiles(WAY, where='to="history"'),
                    "s",
                    6,
                ),
                Panel(
                    "Behind",
                    "Messages not stored yet, by topic.",
                    [lag("topic", where='stage="history"')],
                    "short",
                    6,
                ),
                Panel(
                    "Samples",
                    "Posts whose counters were stored.",
                    [per_second(SAMPLES, "instance", where='stage="history"')],
                    "ops",
                    6,
                ),
            ],
        ),
    ],
)
