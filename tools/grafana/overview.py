"""Is all well, and what flows."""

from tools.grafana.expressions import (
    DROPPED,
    ERRORS,
    JOB,
    RECEIVED,
    SAMPLES,
    SENT,
    WATERMARK,
    WAY,
    lag,
    per_second,
    percentiles,
)
from tools.grafana.panels import Board, Panel, Query, Row
from tools.grafana.parts import stat

BOARD = Board(
    "analyticbot",
    "AnalyticBot",
    [
        Row(
            "Is all well?",
            [
                stat(
                    "Alerts",
                    "Alerts that fire now.",
                    'count(ALERTS{alertstate="firing"}) or vector(0)',
                    bad_from=1,
                ),
                stat("Processes", "Processes that answer.", f"sum(up{{{JOB}}})", bad_below=1),
                stat(
                    "Accounts",
                    "Telegram accounts that observe.",
                    'sum(analyticbot_lease_held{kind="account"})',
                    bad_below=1,
                ),
                stat(
                    "Tasks",
                    "Tasks that a worker has.",
                    'sum(analyticbot_tasks{state="active"})',
                    bad_below=1,
                ),
                stat(
                    "Behind",
                    "Messages that some stage has still to process.",
                    lag().expression,
                    bad_from=10_000,
                ),
                stat(
                    "To the page",
                    "99 of 100 observations are on the page after so long.",
                    percentiles(WAY, where='to="socket"')[1].expression,
                    "s",
                    bad_from=10,
                ),
            ],
        ),
        Row(
            "What flows",
            [
                Panel(
                    "Received",
                    "Messages, updates and requests that each stage took in.",
                    [per_second(RECEIVED, "stage")],
                    "ops",
                    8,
                ),
                Panel(
                    "Samples",
                    "Posts whose counters each stage took in.",
                    [per_second(SAMPLES, "stage")],
                    "ops",
                    8,
                ),
                Panel(
                    "Sent",
                    "Messages, rows, answers and frames that each stage gave out.",
                    [per_second(SENT, "stage")],
                    "ops",
                    8,
                ),
                Panel(
                    "Behind",
                    "Messages in the log that a stage has not processed.",
                    [lag("stage")],
                    "short",
                    8,
                ),
                Panel(
                    "End to end",
                    "From the moment of the observation to its arrival.",
                    percentiles(WAY, "to"),
                    "s",
                    8,
                ),
                Panel(
                    "Watermark delay",
                    "How long ago the median channel of the worst partition was observed.",
                    [Query(f"max by (of) ({WATERMARK})", "{{of}}")],
                    "s",
                    8,
                ),
            ],
        ),
        Row(
            "What goes wrong",
            [
                Panel(
                    "Errors",
                    "Failures, by stage and kind.",
                    [per_second(ERRORS, "stage", "kind")],
                    "ops",
                ),
                Panel(
                    "Dropped",
                    "What was not taken as it came, by stage and reason.",
                    [per_second(DROPPED, "stage", "reason")],
                    "ops",
                ),
            ],
        ),
        Row(
            "Processes",
            [
                Panel(
                    "Memory",
                    "Resident memory.",
                    [Query(f"process_resident_memory_bytes{{{JOB}}}", "{{role}} {{instance}}")],
                    "bytes",
                    6,
                ),
                Panel(
                    "Processor",
                    "Cores in use.",
                    [
                        Query(
                            f"rate(process_cpu_seconds_total{{{JOB}}}[1m])", "{{role}} {{instance}}"
                        )
                    ],
                    "short",
                    6,
                ),
                Panel(
                    "Disk in use",
                    "Of where each process keeps its state.",
                    [
                        Query(
                            "1 - analyticbot_disk_free_bytes / (analyticbot_disk_size_bytes > 0)",
                            "{{role}} {{instance}}",
                        ),
                        Query(
                            "analyticbot_log_held",
                            "{{role}} {{instance}}: too full, nothing is taken in",
                        ),
                    ],
                    "percentunit",
                    6,
                ),
                Panel(
                    "Running for",
                    "Since its start.",
                    [
                        Query(
                            f"time() - process_start_time_seconds{{{JOB}}}", "{{role}} {{instance}}"
                        )
                    ],
                    "s",
                    6,
                ),
            ],
        ),
    ],
)
