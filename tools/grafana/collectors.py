"""What is observed, and the way into the log."""

from tools.grafana.expressions import ERRORS, SAMPLES, per_second, total
from tools.grafana.panels import Board, Panel, Row
from tools.grafana.parts import four

BOARD = Board(
    "analyticbot-collectors",
    "AnalyticBot: collectors",
    [
        Row("The same four", four("collector")),
        Row(
            "Accounts and the way into the log",
            [
                Panel(
                    "Accounts",
                    "Telegram accounts in use, by collector.",
                    [total("analyticbot_lease_held", "instance", where='kind="account"')],
                    "short",
                    6,
                ),
                Panel(
                    "Samples",
                    "Posts whose counters were published.",
                    [per_second(SAMPLES, "instance", where='stage="collector"')],
                    "ops",
                    6,
                ),
                Panel(
                    "Waiting for the log",
                    "Messages taken in and not yet acknowledged.",
                    [total("analyticbot_queued_messages", "instance", where='stage="collector"')],
                    "short",
                    6,
                ),
                Panel(
                    "Flood waits",
                    "How often Telegram asked to wait.",
                    [per_second(ERRORS, "instance", where='stage="collector", kind="flood_wait"')],
                    "ops",
                    6,
                ),
            ],
        ),
    ],
)
