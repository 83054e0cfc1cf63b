"""The topics: name, key, retention. The one place that names them."""

import msgspec

from streams.ids import ChannelId

DAY_MS = 86_400_000


class Topic(msgspec.Struct, frozen=True):
    """How a topic is kept. A compacted topic keeps the newest message of every key for good."""

    name: str
    retention_ms: int | None = 7 * DAY_MS
    #: Of each partition.
    retention_bytes: int | None = None
    compacted: bool = False

    @property
    def dead(self) -> str:
        """The topic of what could not be processed of this one."""
        return f"{self.name}.dead"

    def kept(self, days: int, mebibytes: int) -> "Topic":
        """So long and so much; a topic that is kept for good stays so."""
        if self.retention_ms is None:
            return self
        return msgspec.structs.replace(
            self, retention_ms=days * DAY_MS, retention_bytes=mebibytes << 20
        )


#: The group of the agents on Faust. Their changelogs begin with it.
AGENTS = "analyticbot"

UPDATES = Topic("telegram.updates")
WINDOWS = Topic("analytics.windows")
ALERTS = Topic("analytics.alerts")
SCORES = Topic("analytics.scores")
CONTROL = Topic("control.changes", retention_ms=None, compacted=True)

ALL = (UPDATES, WINDOWS, ALERTS, SCORES, CONTROL)


def changelog_of(group: str, table: str) -> Topic:
    """What the agents of a group put into a table, so that another worker can go on with it."""
    return Topic(f"{group}-{table}-changelog", retention_ms=None, compacted=True)


def repartition_of(group: str, decision: str) -> Topic:
    """The messages of a decision under its own keys. The agents of a group write and read it."""
    return Topic(f"{group}-{decision}-repartition")


def channel_key(channel_id: ChannelId) -> bytes:
    """The key of every message about a channel: its bare id in digits."""
    return b"%d" % channel_id
