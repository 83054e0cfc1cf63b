"""What was observed before the log begins, from history's raw samples, as messages of the log.

History keeps rows, not messages: of a post how it stood last, and its counters at each instant. So
the messages are made again, those of one instant together: posts appear when they were sampled
first, as they stood last. Samples are there for 90 days, posts and subscribers for good.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agents.engine.fills import Cursor
from agents.engine.recalling import ArchiveUnavailable, Page
from agents.history.pending import Held
from clickhouse.history import Answer, History, HistoryError
from streams.codec import encode
from streams.events import (
    ChannelDescribed,
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
    SubscribersSampled,
)
from streams.ids import ChannelId, PostId
from streams.log import Partition, Record
from streams.partitioner import partition_of
from streams.topics import channel_key

#: Rows of one question, and posts of one message, as a collector's.
ROWS = 5_000
POSTS = 100

_Rows = Sequence[dict[str, Any]]


class Archive:
    """Implements engine.recalling.Archive over history."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def holds(self, at: Partition, offset: int) -> bool:
        held = Held.told(await self._ask("positions", {}))
        return held.next.get(at, 0) >= offset

    async def page(self, at: Partition, partitions: int, before_ms: int, after: Cursor) -> Page:
        channel_id, after_ms, _ = after
        for channel in await self._channels(at.number, partitions, before_ms, channel_id):
            since_ms = after_ms if channel == channel_id else 0
            if records := await self._records(channel, since_ms, before_ms):
                return Page(records, more=True)
        return Page((), more=False)

    async def _ask(self, query: str, parameters: dict[str, int]) -> Answer:
        try:
            return await self._history.ask(query, parameters)
        except HistoryError as error:
            raise ArchiveUnavailable(str(error)) from error

    async def _channels(
        self, number: int, partitions: int, before_ms: int, first: int
    ) -> list[ChannelId]:
        found = await self._ask("observed_channels", {"before_ms": before_ms})
        return [
            channel
            for channel in found.columns["channel_id"]
            if channel >= first and partition_of(channel_key(channel), partitions) == number
        ]

    async def _records(self, channel: ChannelId, after_ms: int, before_ms: int) -> list[Record]:
        """Of whole instants."""
        most = ROWS
        while True:
            span = {"channel_id": channel, "after_ms": after_ms, "before_ms": before_ms}
            answer = await self._ask("observed_before", {**span, "most": most})
            rows = _whole(answer, most)
            if rows or len(answer.rows) < most:
                break
            # More rows than one question gives are of one instant.
            most *= 2
        return [
            _record(event)
            for _, of in itertools.groupby(rows, key=lambda row: row["at_ms"])
            for event in _events(channel, list(of))
        ]


def _whole(answer: Answer, most: int) -> list[dict[str, Any]]:
    """Without the last instant, of which there may be more."""
    rows = answer.rows
    if len(rows) < most:
        return rows
    last_ms = rows[-1]["at_ms"]
    return [row for row in rows if row["at_ms"] < last_ms]


def _record(event: Event) -> Record:
    at_ms = event.observed_at_ms
    return Record(0, at_ms, channel_key(event.channel_id), encode(event), {}, at_ms)


def _events(channel: ChannelId, rows: _Rows) -> Iterator[Event]:
    """The messages of one instant."""
    for (what, source), of in itertools.groupby(rows, key=lambda r: (r["what"], r["source"])):
        head = {"channel_id": channel, "observed_at_ms": rows[0]["at_ms"], "source": source}
        for part in _parts(of):
            yield _MADE[what](head, part)


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[_Rows]:
    while part := list(itertools.islice(rows, POSTS)):
        yield part


def _seen(head: dict[str, Any], rows: _Rows) -> Event:
    return PostsSeen(posts=[_post(row) for row in rows], **head)


def _edited(head: dict[str, Any], rows: _Rows) -> Event:
    return PostsEdited(posts=[_post(row) for row in rows], **head)


def _sampled(head: dict[str, Any], rows: _Rows) -> Event:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in _COUNTERS}
    known: dict[str, Any] = {
        n: None if set(column) == {None} else column for n, column in columns.items()
    }
    known["post_ids"] = [PostId(row["post_id"]) for row in rows]
    return CountersSampled(**head, **known)


def _subscribers(head: dict[str, Any], rows: _Rows) -> Event:
    return SubscribersSampled(subscribers=rows[-1]["post_id"], **head)


def _described(head: dict[str, Any], rows: _Rows) -> Event:
    [row] = rows
    named = {"title": row["text"] or None, "username": row["forwarded_from"]}
    return ChannelDescribed(**named, **{**head, "source": "telegram"})


def _deleted(head: dict[str, Any], rows: _Rows) -> Event:
    return PostsDeleted(post_ids=[PostId(row["post_id"]) for row in rows], **head)


def _post(row: dict[str, Any]) -> Post:
    return Post(
        post_id=PostId(row["post_id"]),
        date_ms=row["date_ms"],
        text=row["text"],
        media=row["media"],
        album_id=row["album_id"],
        forwarded_from=row["forwarded_from"],
    )


_COUNTERS = ("views", "forwards", "replies", "reactions")
_MADE: dict[str, Callable[[dict[str, Any], _Rows], Event]] = {
    "posts_seen": _seen,
    "posts_edited": _edited,
    "sampled": _sampled,
    "subscribers": _subscribers,
    "described": _described,
    "deleted": _deleted,
}
