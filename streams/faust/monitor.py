"""Faust's sensor without its measurements, which cost more than processing a message."""

import time
from typing import Any

from faust.sensors.monitor import Monitor

from streams.metrics import Metrics


class QuietMonitor(Monitor):
    """Reports commits and recoveries to `metrics`, for transports that do not."""

    metrics: Metrics | None = None

    def on_message_in(self, *_args: Any) -> None: ...

    def on_stream_event_in(self, *_args: Any) -> None: ...

    def on_stream_event_out(self, *_args: Any) -> None: ...

    def on_message_out(self, *_args: Any) -> None: ...

    def on_table_get(self, *_args: Any) -> None: ...

    def on_table_set(self, *_args: Any) -> None: ...

    def on_commit_initiated(self, *_args: Any) -> float:
        return time.perf_counter()

    def on_commit_completed(self, _consumer: Any, state: float) -> None:
        if self.metrics is not None:
            took_s = time.perf_counter() - state
            self.metrics.observe("analyticbot_commit_seconds", took_s, stage="log")

    def on_rebalance_start(self, *_args: Any) -> dict[str, float]:
        return {"began": time.perf_counter()}

    def on_rebalance_return(self, *_args: Any) -> None: ...

    def on_rebalance_end(self, _app: Any, state: dict[str, float]) -> None:
        if self.metrics is not None:
            took_s = time.perf_counter() - state["began"]
            self.metrics.observe("analyticbot_recovery_seconds", took_s)
