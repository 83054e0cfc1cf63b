"""The agents: messages, channels, tables, dead letters."""

from tools.grafana.expressions import (
    AGENTS,
    DEAD,
    DROPPED,
    ERRORS,
    RECEIVED,
    SAMPLES,
    SENT,
    TOOK,
    WATERMARK,
    WAY,
    lag,
    per_second,
    percentiles,
    total,
)
from tools.grafana.panels import Board, Panel, Query, Row

BOARD = Board(
    "analyticbot-pipeline",
    "AnalyticBot: pipeline",
    [
        Row(
            "Messages",
            [
                Panel(
                    "Received",
                    "Messages that each agent took in.",
                    [per_second(RECEIVED, "stage", where=AGENTS)],
                    "ops",
                    8,
                ),
                Panel(
                    "Samples",
                    "Posts whose counters were folded, by worker.",
                    [per_second(SAMPLES, "instance", where='stage="updates"')],
                    "ops",
                    8,
                ),
                Panel(
                    "Sent",
                    "Windows and alerts.",
                    [per_second(SENT, "stage", where=AGENTS)],
                    "ops",
                    8,
                ),
                Panel(
                    "Seconds a message",
                    "The work of one message, of every sixteenth.",
                    percentiles(TOOK, "stage", where=AGENTS),
                    "s",
                    8,
                ),
                Panel(
                    "To a window",
                    "From the observation to the window, before its commit.",
                    percentiles(WAY, where='to="window"'),
                    "s",
                    8,
                ),
                Panel(
                    "Behind",
                    "Messages that an agent has not processed.",
                    [lag("stage", where=AGENTS)],
                    "short",
                    8,
                ),
            ],
        ),
        Row(
            "Channels and tables",
            [
                Panel(
                    "Watermark delay",
                    "How long ago the channels of a partition were observed: median and worst.",
                    [Query(f"max by (partition, of) ({WATERMARK})", "{{partition}} {{of}}")],
                    "s",
                    8,
                ),
                Panel(
                    "Rows",
                    "Rows of each table.",
                    [total("analyticbot_table_rows", "table")],
                    "short",
                    8,
                ),
                Panel(
                    "Tables on disk",
                    "Bytes of all tables, by worker.",
                    [total("analyticbot_table_bytes", "instance")],
                    "bytes",
                    8,
                ),
                Panel(
                    "To be filled",
                    "Messages that a new or rebuilt decision has still to fold before it is live.",
                    [total("analyticbot_fill_messages", "decision")],
                    "short",
                    8,
                ),
            ],
        ),
        Row(
            "What was not processed as it came",
            [
                Panel(
                    "Dead letters",
                    "What cannot be processed, by reason.",
                    [per_second(DROPPED, "stage", "reason", where=f'reason=~"{DEAD}"')],
                    "ops",
                    8,
                ),
                Panel(
                    "Handled otherwise",
                    "Late, repeated, corrected.",
                    [per_second(DROPPED, "stage", "reason", where=f'{AGENTS}, reason!~"{DEAD}"')],
                    "ops",
                    8,
                ),
                Panel(
                    "Errors",
                    "An agent's unknown error ends its worker.",
                    [per_second(ERRORS, "stage", "kind", where=AGENTS)],
                    "ops",
                    8,
                ),
            ],
        ),
    ],
)
