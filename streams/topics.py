"""The topics: name, key, retention. The one place that names them."""

import msgspec

from streams.ids import ChannelId
from streams.units import DAY_MS


class Topic(msgspec.Struct, frozen=True):
    """A topic and its retention. A compacted one keeps the newest message of every key for good."""

    name: str
    retention_ms: int | None = 7 * DAY_MS
    #: Per partition.
    retention_bytes: int | None = None
    compacted: bool = False

    @property
    def dead(self) -> str:
        """The topic of this topic's dead letters."""
        return f"{self.name}.dead"

    def kept(self, days: int, mebibytes: int) -> "Topic":
        """The topic with this retention; compacted topics stay as they are."""
        if self.retention_ms is None:
            return self
        return msgspec.structs.replace(
            self, retention_ms=days * DAY_MS, retention_bytes=mebibytes << 20
        )


#: The group of the agents on Faust; prefixes their changelogs.
AGENTS = "analyticbot"

UPDATES = Topic("telegram.updates")
WINDOWS = Topic("analytics.windows")
ALERTS = Topic("analytics.alerts")
SCORES = Topic("analytics.scores")
CONTROL = Topic("control.changes", retention_ms=None, compacted=True)

#: Which decisions operators want rebuilt; by name.
REBUILDS = Topic("control.rebuilds", retention_ms=None, compacted=True)

ALL = (UPDATES, WINDOWS, ALERTS, SCORES, CONTROL, REBUILDS)


def changelog_of(group: str, table: str) -> Topic:
    """The changelog of a table of a group's agents, from which another worker can resume."""
    return Topic(f"{group}-{table}-changelog", retention_ms=None, compacted=True)


def repartition_of(group: str, decision: str) -> Topic:
    """The repartition topic of a decision with a key; a group's agents write and read it."""
    return Topic(f"{group}-{decision}-repartition")


def channel_key(channel_id: ChannelId) -> bytes:
    """The key of every message about a channel: its bare id in digits."""
    return b"%d" % channel_id
