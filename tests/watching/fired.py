"""For each alert: series that make it fire, and it alone."""

from tests.watching.promtool import Case

_UP = 'job="analyticbot"'
_LAG = "analyticbot_lag_messages"


def _lag(stage: str, values: str, partition: int = 0, worker: str = "w1:8000") -> dict[str, str]:
    topic = {"updates": "telegram.updates", "history": "analytics.alerts"}.get(
        stage, "analytics.windows"
    )
    labels = f'stage="{stage}",topic="{topic}",partition="{partition}",instance="{worker}"'
    return {f"{_LAG}{{{labels}}}": values}


def _counter(name: str, values: str, **labels: str) -> dict[str, str]:
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {f"analyticbot_{name}{{{inside}}}": values}


def _tasks(worker: str, **states: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for state, values in states.items():
        found |= _counter("tasks", values, state=state, instance=worker)
    return found


def _slow(name: str, low: str, high: str, **labels: str) -> dict[str, str]:
    """Nine of ten end below `low`, the rest below `high`."""
    found: dict[str, str] = {}
    for le, values in (("0.1", "0+9x80"), (low, "0+9x80"), (high, "0+10x80"), ("+Inf", "0+10x80")):
        found |= _counter(f"{name}_bucket", values, le=le, **labels)
    return found


#: Somebody observes: else NoAccountObserves fires as well.
OBSERVED = _counter("lease_held", "1x120", kind="account", instance="c1:8000")
_AT = "w1:8000"

FIRED: dict[str, Case] = {
    "ProcessDown": Case(
        {f'up{{{_UP},role="work",instance="{_AT}"}}': "1x4 0x20"},
        5,
        [{"job": "analyticbot", "role": "work", "instance": _AT}],
    ),
    "RestartLoop": Case(
        {f'process_start_time_seconds{{{_UP},role="work",instance="{_AT}"}}': "100+120x30"},
        10,
        [{"job": "analyticbot", "role": "work", "instance": _AT}],
    ),
    "DiskLow": Case(
        _counter("disk_free_bytes", "8x40", instance=_AT)
        | _counter("disk_size_bytes", "100x40", instance=_AT),
        8,
        [{"instance": _AT}],
    ),
    "DiskFull": Case(
        _counter("disk_free_bytes", "2x40", instance=_AT)
        | _counter("disk_size_bytes", "100x40", instance=_AT)
        | _counter("log_held", "1x40", instance="u1:8000")
        | _counter("log_held", "0x40", instance="u2:8000"),
        3,
        [{"instance": _AT}, {"instance": "u1:8000"}],
    ),
    "ErrorsRepeat": Case(
        _counter("errors_total", "0+6x60", stage="bot", kind="telegram_unavailable"),
        20,
        [{"stage": "bot", "kind": "telegram_unavailable"}],
    ),
    "NoAccountObserves": Case(
        _counter("lease_held", "1x4 0x20", kind="account", instance="c1:8000"), 8, [{}]
    ),
    "AccountLost": Case(
        _counter("errors_total", "0x4 1x40", stage="collector", kind="account_lost", instance=_AT),
        6,
        [{"instance": _AT}],
    ),
    "TelegramAway": Case(
        _counter(
            "errors_total", "0+1x60", stage="collector", kind="telegram_unavailable", instance=_AT
        ),
        15,
        [{"instance": _AT}],
    ),
    "NothingObserved": Case(
        _counter("received_total", "0+5x10 50x90", stage="collector", instance=_AT), 40, [{}]
    ),
    "FloodWaits": Case(
        _counter("errors_total", "0+1x60", stage="collector", kind="flood_wait", instance=_AT),
        22,
        [{"instance": _AT}],
    ),
    "PushesDropped": Case(
        _counter("dropped_total", "0+1x60", stage="collector", reason="queue_full", instance=_AT),
        10,
        [{"instance": _AT}],
    ),
    # It is caught up with now and then, and yet grows.
    "LagGrows": Case(
        _lag("windows", " ".join(f"{n}00+100x8" for n in range(10, 50, 5)))
        | _tasks(_AT, active="1x120"),
        26,
        [{"stage": "windows"}],
    ),
    "PartitionStuck": Case(
        _lag("history", "5x60"),
        14,
        [{"stage": "history", "topic": "analytics.alerts", "partition": "0"}],
    ),
    "NoCommits": Case(
        _lag("updates", "5x3 0 5x40")
        | _counter("commit_seconds_count", "0+3x3 12x40", stage="log", instance=_AT),
        7,
        [{}],
    ),
    "TasksWithoutWorker": Case(
        _lag("live", "0x40") | _lag("live", "0x40", 1) | _tasks(_AT, active="2x4 1x40"), 6, [{}]
    ),
    "WorkerIdle": Case(
        _tasks(_AT, active="2x60", standby="2x60")
        | _tasks("w2:8000", active="0x60", standby="0x60", recovering="0x60"),
        12,
        [{"instance": "w2:8000"}],
    ),
    "StandbyMissing": Case(
        _tasks(_AT, active="2x60", standby="1x60")
        | _tasks("w2:8000", active="1x60", standby="1x60"),
        12,
        [{}],
    ),
    "RecoveryLong": Case(
        _tasks(_AT, active="2x40", recovering="1x40"), 8, [{"instance": _AT}]
    ),
    "CommitsSlow": Case(
        _slow("commit_seconds", "2.5", "10", stage="log", instance=_AT), 12, [{"stage": "log"}]
    ),
    "DeadLetters": Case(
        _counter("received_total", "0+100x60", stage="updates", instance=_AT)
        | _counter(
            "dropped_total", "0+2x60", stage="updates", reason="broken_bytes", instance=_AT
        ),
        12,
        [{"stage": "updates"}],
    ),
    "RemovedUnread": Case(
        _counter(
            "dropped_total", "0x4 7x40", stage="history", reason="removed_by_retention",
            instance=_AT,
        ),
        6,
        [{"stage": "history"}],
    ),
    "WatermarkOld": Case(
        _counter("watermark_delay_seconds", "3000+60x60", partition="3", of="median"),
        24,
        [{"partition": "3"}],
    ),
    "EndToEndSlow": Case(
        _slow("end_to_end_seconds", "10", "60", to="socket", instance=_AT), 18, [{"to": "socket"}]
    ),
    "HistoryAway": Case(
        _counter(
            "errors_total", "0+1x60", stage="history", kind="history_unavailable", instance=_AT
        ),
        6,
        [{}],
    ),
    "LiveBehind": Case(
        _lag("live", "3000x3 0 3000x20") | _tasks(_AT, active="1x120"), 6, [{"instance": _AT}]
    ),
    "ClientsTooSlow": Case(
        _counter(
            "dropped_total", "0+300x60", stage="live", reason="slow_client", instance=_AT
        ),
        15,
        [{"instance": _AT}],
    ),
    "RequestsFail": Case(
        _counter("received_total", "0+10x60", stage="api", instance=_AT)
        | _counter("errors_total", "0+1x60", stage="api", kind="history_unavailable", instance=_AT),
        10,
        [{"instance": _AT}],
    ),
    "BotSilent": Case(
        {
            f'up{{{_UP},role="bot",instance="b{n}:8000"}}': "1x40" for n in (1, 2)
        }
        | _counter("lease_held", "1x4 0x40", kind="bot", instance="b1:8000"),
        10,
        [{}],
    ),
}  # fmt: skip
