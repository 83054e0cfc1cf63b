"""The live socket, requests, taps and the bot."""

from tools.grafana.expressions import (
    DROPPED,
    ERRORS,
    SENT,
    TOOK,
    WAY,
    per_second,
    percentiles,
    total,
)
from tools.grafana.panels import Board, Panel, Query, Row
from tools.grafana.parts import four

BOARD = Board(
    "analyticbot-faces",
    "AnalyticBot: live, API and bot",
    [
        Row(
            "The live socket",
            [
                Panel(
                    "Connections",
                    "Open connections, by replica.",
                    [total("analyticbot_live_connections", "instance")],
                    "short",
                    6,
                ),
                Panel(
                    "To the page",
                    "From the observation to the frame.",
                    percentiles(WAY, where='to="socket"'),
                    "s",
                    6,
                ),
                Panel(
                    "Behind",
                    "Messages that the live view has not folded, by replica.",
                    [
                        Query(
                            'sum by (instance) (analyticbot_lag_messages{stage="live"})',
                            "{{instance}}",
                        )
                    ],
                    "short",
                    6,
                ),
                Panel(
                    "Slow clients",
                    "Frames that were dropped because a client did not take them.",
                    [per_second(DROPPED, "instance", where='stage="live", reason="slow_client"')],
                    "ops",
                    6,
                ),
                *four("live"),
            ],
        ),
        Row(
            "Requests",
            [
                Panel(
                    "Seconds a request",
                    "Until its answer was sent.",
                    percentiles(TOOK, where='stage="api"'),
                    "s",
                    8,
                ),
                Panel(
                    "Requests",
                    "Answered, by replica.",
                    [per_second(SENT, "instance", where='stage="api"')],
                    "ops",
                    8,
                ),
                Panel(
                    "Failed and refused",
                    "By kind, and by reason.",
                    [
                        per_second(ERRORS, "kind", where='stage="api"'),
                        per_second(DROPPED, "reason", where='stage="api"'),
                    ],
                    "ops",
                    8,
                ),
            ],
        ),
        Row("Taps", four("taps")),
        Row(
            "The bot",
            [
                *four("bot"),
                Panel(
                    "To a chat",
                    "From the observation to the first message of an alert.",
                    percentiles(WAY, where='to="bot"'),
                    "s",
                ),
                Panel(
                    "Who answers",
                    "The lease of the bot, by process.",
                    [total("analyticbot_lease_held", "instance", where='kind="bot"')],
                ),
            ],
        ),
    ],
)
