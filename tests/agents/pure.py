"""The pipeline without Faust: folds events in memory, and keeps the newest of every upsert."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from agents.engine.reasons import HandledReason
from agents.engine.step_context import StepContext
from agents.spikes.row import Spikes
from agents.spikes.rule import put_spikes
from agents.updates.buckets import Bucket, NewBuckets
from agents.updates.channel import Channel
from agents.updates.fold import fold_update
from streams.analytics import ActivityWindow, Analytics, Window
from streams.events import Event
from streams.ids import ChannelId
from streams.kinds import upsert_key
from tables.rows import RowDecoder, encode_row

CHANNEL = ChannelId(42)


class Pure:
    def __init__(self) -> None:
        self.channels: defaultdict[ChannelId, Channel] = defaultdict(Channel)
        self.buckets: defaultdict[ChannelId, NewBuckets] = defaultdict(NewBuckets)
        self.spikes: defaultdict[ChannelId, Spikes] = defaultdict(Spikes)
        self.upserts: dict[str, Analytics] = {}
        self.handled: Counter[HandledReason] = Counter()
        self._offset = 0
        self._window_offset = 0

    def fold(self, event: Event, offset: int | None = None) -> list[Window]:
        """Fold one event, at the next offset or a given one; its outputs."""
        if offset is None:
            offset, self._offset = self._offset, self._offset + 1
        channel_id = event.channel_id
        folded = fold_update(self.channels[channel_id], self.buckets[channel_id], event, offset)
        self.handled += folded.handled
        for output in folded.outputs:
            self.upserts[upsert_key(output)] = output
            self._fold_window(output)
        return list(folded.outputs)

    def fold_all(self, events: Iterable[Event]) -> list[Window]:
        return [output for event in events for output in self.fold(event)]

    def rows(self) -> dict[str, bytes]:
        """All state, as it would be stored."""
        rows = {f"channel {c}": encode_row(row) for c, row in self.channels.items()}
        for channel_id, buckets in self.buckets.items():
            for number, bucket in buckets.items():
                rows[f"posts {channel_id}/{number}"] = encode_row(bucket)
        return rows

    def restart(self) -> None:
        """Through bytes and back, as after a crash."""
        for channel_id, row in self.channels.items():
            self.channels[channel_id] = RowDecoder(Channel)(encode_row(row))
        for buckets in self.buckets.values():
            for number, bucket in buckets.items():
                buckets[number] = RowDecoder(Bucket)(encode_row(bucket))

    @property
    def window_messages(self) -> int:
        """How many messages analytics.windows holds when none was sent twice."""
        return self._window_offset

    def _fold_window(self, output: Window) -> None:
        offset, self._window_offset = self._window_offset, self._window_offset + 1
        if isinstance(output, ActivityWindow):
            for alert in put_spikes(self.spikes[output.channel_id], output, StepContext(offset)):
                self.upserts[upsert_key(alert)] = alert
