"""The watermark delay of each partition's channels, for the metrics.

Kept in memory, because reading it from the rows would need a scan. So it knows only channels that
were observed since their partition was assigned to this process.
"""

from statistics import median_low

from streams.ids import ChannelId
from streams.metrics import OLD_S, Metrics

#: Channels that were not observed for longer do not count: nobody follows them any more.
GONE_MS = OLD_S * 1000


class Watermarks:
    def __init__(self) -> None:
        self._newest_ms: dict[int, dict[ChannelId, int]] = {}

    def put(self, partition: int, channel_id: ChannelId, watermark_ms: int) -> None:
        channels = self._newest_ms.get(partition)
        if channels is None:
            channels = self._newest_ms[partition] = {}
        channels[channel_id] = watermark_ms

    def clear(self) -> None:
        """Forget all channels. Called when the partitions of this process have changed."""
        self._newest_ms.clear()

    def tell(self, metrics: Metrics, now_ms: int) -> None:
        """Set the gauges. `now_ms` is of the clock by which observations are stamped."""
        metrics.forget("analyticbot_watermark_delay_seconds")
        for partition, channels in self._newest_ms.items():
            known = {c: ms for c, ms in channels.items() if now_ms - ms < GONE_MS}
            self._newest_ms[partition] = known
            if known:
                _tell(metrics, str(partition), "median", now_ms - median_low(known.values()))
                _tell(metrics, str(partition), "worst", now_ms - min(known.values()))


def _tell(metrics: Metrics, partition: str, of: str, delay_ms: int) -> None:
    labels = {"partition": partition, "of": of}
    metrics.gauge("analyticbot_watermark_delay_seconds", max(delay_ms, 0) / 1000, **labels)
