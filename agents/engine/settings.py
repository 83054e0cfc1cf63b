"""What operators set, as one input has said it so far: a table that is committed with its offsets.

So a decision sees a change between the same two messages in a replay, after a crash and on another
worker. Each input has its own rows, because a change reaches the inputs one after the other.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from agents.engine.cache import RowCache
from agents.engine.setting import InvalidSetting, Setting
from streams.broadcasts import SettingChanged, Value
from streams.context import Task
from streams.ids import ChannelId
from streams.topics import channel_key
from tables.settings import SettingRow

logger = logging.getLogger(__name__)

#: The table of all inputs.
TABLE = "settings"
#: A name, and the key of the channel for which it is set; None for all channels.
Scope = tuple[str, bytes | None]
Values = Mapping[str, Any]


class _InForce:
    """What holds in one task."""

    def __init__(self, defaults: Values) -> None:
        self.versions: dict[Scope, int] = {}
        self.all: dict[str, Any] = {**defaults}
        #: What is set for single channels, and below it what holds for all.
        self.of: dict[bytes, Values] = {}
        self._own: dict[bytes, dict[str, Any]] = {}
        self._defaults = defaults

    def put(self, name: str, key: bytes | None, value: Any) -> None:
        if key is None:
            self.all[name] = self._defaults[name] if value is None else value
        else:
            own = self._own.setdefault(key, {})
            own[name] = value
            if value is None:
                del own[name]
        for channel, own in self._own.items():
            self.of[channel] = {**self.all, **own}


class Settings:
    """Of one input, for the decisions on it. No call waits."""

    def __init__(
        self, rows: RowCache[SettingRow], stage: str, declared: Iterable[Setting[Any]]
    ) -> None:
        """`declared` by the decisions on the input. What others declare is kept as well."""
        self._rows = rows
        self._stage = stage
        self._declared = {each.name: each for each in declared}
        self._defaults = {name: each.default for name, each in self._declared.items()}
        self._tasks: dict[Task, _InForce] = {}

    def forget(self) -> None:
        """The tasks of this process have changed."""
        self._tasks.clear()

    def of(self, task: Task, key: bytes) -> Values:
        """The value of each declared setting for a channel, by its key."""
        held = self._held(task)
        return held.of.get(key, held.all)

    def version(self, task: Task, name: str, channel_id: ChannelId | None) -> int:
        """The highest version that was seen; 0: none."""
        return self._held(task).versions.get((name, _key(channel_id)), 0)

    def apply(self, task: Task, change: SettingChanged, offset: int, at_ms: int) -> None:
        """Take what a message at `offset` says, unless something newer holds."""
        held, key = self._held(task), _key(change.channel_id)
        if change.version <= held.versions.get((change.name, key), 0):
            return
        row = SettingRow(last_offset=offset, set_version=change.version, value=change.value)
        self._rows.put(task, self._row_key(task, change.name, key), row, at_ms)
        self._put(held, change.name, key, change.version, change.value)

    def _held(self, task: Task) -> _InForce:
        held = self._tasks.get(task)
        if held is None:
            held = self._tasks[task] = _InForce(self._defaults)
            prefix = self._prefix(task)
            for full, row in self._rows.items(task):
                if full.startswith(prefix):
                    name, _, channel = full[len(prefix) :].partition(b"/")
                    self._put(held, name.decode(), channel or None, row.set_version, row.value)
        return held

    def _put(
        self, held: _InForce, name: str, key: bytes | None, version: int, value: Value | None
    ) -> None:
        held.versions[name, key] = version
        setting = self._declared.get(name)
        if setting is None:
            return
        try:
            checked = None if value is None else setting.check(value)
        except InvalidSetting as error:
            # Another version of the program accepted it. Here it is as if it were unset.
            logger.warning("setting_ignored", extra={"reason": str(error)})
            checked = None
        held.put(name, key, checked)

    def _row_key(self, task: Task, name: str, key: bytes | None) -> bytes:
        return b"%b%b/%b" % (self._prefix(task), name.encode(), key or b"")

    def _prefix(self, task: Task) -> bytes:
        """Tasks have rows of their own, also where one process keeps the rows of all in one map."""
        return b"%d/%b/" % (task, self._stage.encode())


def _key(channel_id: ChannelId | None) -> bytes | None:
    return None if channel_id is None else channel_key(channel_id)
