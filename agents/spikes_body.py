"""The agent `spikes` on Faust: of all windows it reads, it takes those of activity."""

from typing import Any

from faust.types import EventT

from agents.binding import Body
from agents.cache import RowCache
from agents.reasons import Rejected, dead_reason
from agents.sending import Sender
from agents.spikes import put_spikes
from streams.analytics import ActivityWindow
from streams.codec import Undecodable, decode_analytics, encode
from streams.topics import channel_key
from tables.rows import encode_row
from tables.spikes import Spikes

#: How the codec's bytes begin: far enough to see the kind.
_HEAD = 32
_OTHERS = (b"\xadpost_counters", b"\xa7channel", b"\xa8post_age", b"\xabsubscribers", b"\xa4late")


class SpikesBody(Body):
    """Reads analytics.windows, sends to analytics.alerts."""

    stage = "spikes"

    def __init__(self, *args: Any, spikes: RowCache[Spikes], alerts: Sender) -> None:
        super().__init__(*args)
        self._spikes = spikes
        self._alerts = alerts

    def handle(self, event: EventT[bytes]) -> None:
        message: Any = event.message
        window = _activity(message.value or b"")
        if window is None:
            return
        key = channel_key(window.channel_id)
        state = self._spikes.get(event, key)
        alerts = put_spikes(state, window, message.offset)
        values = [encode(alert) for alert in alerts]
        row = encode_row(state)
        for value in values:
            self._alerts(event, key, value, window.observed_at_ms / 1000)
        self._spikes.write(event, key, row)
        if values:
            self._metrics.sent(self.stage, len(values))


def _activity(data: bytes) -> ActivityWindow | None:
    """None for another kind; most are, so the kind is looked at before anything is decoded."""
    head = data[:_HEAD]
    if any(kind in head for kind in _OTHERS):
        return None
    try:
        decision = decode_analytics(data)
    except Undecodable as error:
        raise Rejected(dead_reason(error.reason), str(error)) from error
    return decision if isinstance(decision, ActivityWindow) else None
