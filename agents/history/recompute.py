"""Recomputes the windows of late samples in history, from all raw samples of a channel.

Agents keep only the newest sample of a post, so they cannot book samples older than their closed
windows, such as the past of a channel that is imported after it was followed: they send
LateSamples. History has every sample. It computes the channel's windows independently of the order
in which samples arrived, replaces the windows that differ, adds the difference to the roll-ups, and
corrects the counters at fixed ages.

Every step can be repeated: it compares the stored values with the expected ones and stores the
difference. The table `recomputed` records finished work, so that a crash leaves nothing undone.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from agents.updates.fixed_ages import AGES_S
from clickhouse.history import Answer, History, Insert
from streams.analytics import LateSamples
from streams.ids import ChannelId
from streams.units import DAY_MS, MINUTE_MS

#: Calls the store until it succeeds; waits while the store is unavailable.
Insist = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
Marks = Mapping[ChannelId, int]

#: Event time per query, which bounds its memory.
AT_ONCE_MS = 7 * DAY_MS
#: Higher than the versions of windows that agents close (streams.kinds.CLOSED).
RECOMPUTED = 2**63

_ROLLED = {"channel_hourly": "recomputed_hourly", "channel_daily": "recomputed_daily"}

_logger = logging.getLogger(__name__)


class Late(NamedTuple):
    """Late samples of one message."""

    offset: int
    from_ms: int
    to_ms: int
    #: Windows before this instant are computed.
    done_ms: int
    #: The last instant at which the samples change a window; 0: not known yet.
    needed_ms: int = 0


class Recompute:
    """Collects late samples, and computes their windows in `run`."""

    def __init__(self, history: History, insist: Insist) -> None:
        self._history = history
        self._insist = insist
        #: Not computed yet.
        self._new: dict[ChannelId, list[Late]] = {}
        #: Computed in part: they change windows that were not closed then.
        self._rest: dict[ChannelId, list[Late]] = {}
        self._since_s: float | None = None

    def waiting_s(self, marks: Marks) -> float | None:
        """Seconds since work was first seen by this method; None without work.

        `marks`: the start of each channel's last closed minute.
        """
        if not self._new and not any(self._is_closed(each, marks) for each in self._rest):
            self._since_s = None
            return None
        now_s = time.perf_counter()
        self._since_s = now_s if self._since_s is None else self._since_s
        return now_s - self._since_s

    async def take_up(self, owned: Callable[[ChannelId], bool]) -> None:
        """Load the unfinished work of the channels that this member owns."""
        self._new, self._rest = {}, {}
        for row in (await self._ask("late_pending")).rows:
            if owned(row["channel_id"]):
                place = row["late_offset"], row["from_ms"], row["to_ms"]
                if row["done_ms"] is None:
                    self._new.setdefault(row["channel_id"], []).append(Late(*place, row["from_ms"]))
                else:
                    late = Late(*place, row["done_ms"], row["needed_ms"])
                    self._rest.setdefault(row["channel_id"], []).append(late)
        self._since_s = None

    def note(self, messages: Collection[LateSamples]) -> None:
        """Add late samples, once they are stored."""
        for message in messages:
            late = Late(message.offset, message.from_ms, message.to_ms, message.from_ms)
            self._new.setdefault(message.channel_id, []).append(late)

    async def run(
        self,
        marks: Marks,
        is_stored: Callable[[ChannelId, int], bool],
        renew: Callable[[], Awaitable[Any]],
    ) -> None:
        """Compute the windows of all channels that have work.

        `is_stored`: whether history holds a channel's observations up to an offset. `renew` is
        called before each channel; it raises NotOwner if another member owns it now.
        """
        self._since_s = None
        for channel_id in {*self._new, *self._rest}:
            new = self._new.get(channel_id, [])
            if not all(is_stored(channel_id, late.offset) for late in new):
                continue
            due = list(new)
            if self._is_closed(channel_id, marks):
                due += self._rest[channel_id]
            if due:
                await renew()
                await self._work_out(channel_id, due, _closed_ms(marks, channel_id))

    def _is_closed(self, channel_id: ChannelId, marks: Marks) -> bool:
        """Whether all windows that the remaining samples change are closed."""
        needed_ms = [late.needed_ms for late in self._rest.get(channel_id, ())]
        return bool(needed_ms) and max(needed_ms) < _closed_ms(marks, channel_id)

    async def _work_out(self, channel_id: ChannelId, due: Collection[Late], closed_ms: int) -> None:
        """Correct the windows before `closed_ms`."""
        from_ms = _minute(min(late.done_ms for late in due))
        reach_ms = await self._reach(channel_id, due)
        until_ms = min(closed_ms, _minute(reach_ms) + MINUTE_MS)
        name = f"{max(late.offset for late in due)}/{until_ms}"
        changed = 0
        for start_ms in range(from_ms, until_ms, AT_ONCE_MS):
            span = {"from_ms": start_ms, "to_ms": min(start_ms + AT_ONCE_MS, until_ms)}
            changed += await self._put_right(channel_id, span, name)
        done = [late._replace(done_ms=max(until_ms, from_ms), needed_ms=reach_ms) for late in due]
        await self._keep(channel_id, done)
        _logger.info("windows_recomputed", extra={"channel": channel_id, "windows": changed})

    async def _reach(self, channel_id: ChannelId, due: Collection[Late]) -> int:
        """The last instant at which these samples change a window."""
        known_ms = max(late.needed_ms for late in due)
        new = [late for late in due if not late.needed_ms]
        if not new:
            return known_ms
        from_ms, to_ms = min(late.from_ms for late in new), max(late.to_ms for late in new)
        answer = await self._ask("late_reach", channel_id=channel_id, from_ms=from_ms, to_ms=to_ms)
        return max(known_ms, int(answer.rows[0]["until_ms"]))

    async def _put_right(self, channel_id: ChannelId, span: Mapping[str, int], name: str) -> int:
        """Correct the windows; returns how many changed."""
        windows = await self._ask("recomputed_windows", channel_id=channel_id, **span)
        columns = _stamped(channel_id, windows)
        await self._insert("windows", _closed(columns), name)
        for table, query in _ROLLED.items():
            rolled = await self._ask(query, channel_id=channel_id, **span)
            await self._insert(table, _stamped(channel_id, rolled), name)
        ages = await self._ask(
            "recomputed_ages", channel_id=channel_id, ages_s=list(AGES_S), **span
        )
        await self._insert("post_ages", _stamped(channel_id, ages), name)
        return len(columns["channel_id"])

    async def _keep(self, channel_id: ChannelId, done: Collection[Late]) -> None:
        columns = {
            "channel_id": [channel_id] * len(done),
            "late_offset": [late.offset for late in done],
            "from_at": [late.from_ms for late in done],
            "to_at": [late.to_ms for late in done],
            "done_until": [late.done_ms for late in done],
            "needed_until": [late.needed_ms for late in done],
        }
        await self._insert("recomputed", columns, "")
        self._new.pop(channel_id, None)
        places = {late[:3] for late in done}
        rest = [late for late in self._rest.pop(channel_id, []) if late[:3] not in places]
        rest += [late for late in done if late.done_ms <= late.needed_ms]
        if rest:
            self._rest[channel_id] = rest

    async def _ask(self, query: str, **parameters: Any) -> Answer:
        answer: Answer = await self._insist(lambda: self._history.ask(query, parameters))
        return answer

    async def _insert(self, table: str, columns: Mapping[str, Any], name: str) -> None:
        """`name` distinguishes insertions with equal content."""
        if columns["channel_id"]:
            token = blake2b(f"{name} {columns!r}".encode(), digest_size=16).hexdigest()
            await self._insist(lambda: self._history.insert(Insert(table, token, columns)))


def _stamped(channel_id: ChannelId, answer: Answer) -> dict[str, Any]:
    """A result as columns of a table; a result without rows has no columns."""
    columns = dict(answer.columns)
    observed = columns.pop("observed_at_ms", [])
    return {"channel_id": [channel_id] * len(observed), **columns, "observed_at": observed}


def _closed(windows: Mapping[str, Any]) -> Mapping[str, Any]:
    observed = windows["observed_at"]
    return {
        **windows,
        "closed": [True] * len(observed),
        "recomputed": [True] * len(observed),
        "version": [RECOMPUTED + at_ms for at_ms in observed],
        "batch": [0] * len(observed),
    }


def _closed_ms(marks: Marks, channel_id: ChannelId) -> int:
    """The end of the last closed minute of a channel."""
    return marks.get(channel_id, -MINUTE_MS) + MINUTE_MS


def _minute(at_ms: int) -> int:
    return at_ms // MINUTE_MS * MINUTE_MS
