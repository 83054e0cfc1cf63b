"""Messages for the history agent, the log that holds them, and everything history has of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from clickhouse.chdb import CONFIG
from streams import kinds, topics
from streams.analytics import ActivityWindow, Alert, Analytics, ChannelSummary
from streams.codec import encode
from streams.embedded.log import EmbeddedLog
from streams.events import CountersSampled, Event, Post, PostsSeen, SubscribersSampled
from streams.ids import ChannelId, PostId
from streams.log import Draft, Offsets
from streams.topics import ALERTS, UPDATES, WINDOWS, Topic, channel_key
from streams.units import MINUTE_MS

NOON_MS = 1_750_248_000_000
CHANNELS = [ChannelId(1_000_000_000 + number) for number in range(8)]
#: Of the tables, what names an insertion and not what was inserted.
_OF_INSERTIONS = {
    "post_samples": "inserted_at",
    "windows": "batch, version, recomputed",
    "recomputed": "done_until",
    "positions": "version, stored_at",
    "removed_unread": "found_at",
}


def draft(topic: Topic, message: Event | Analytics) -> Draft:
    key = channel_key(message.channel_id)
    return Draft(topic.name, key, encode(message), message.observed_at_ms)


def minute_of_messages(minute: int) -> list[Draft]:
    """What is observed and decided of every channel in one minute; the minute before closes."""
    drafts = []
    for channel in CHANNELS:
        at_ms = NOON_MS + minute * MINUTE_MS + channel % 1000
        post = Post(PostId(minute + 1), at_ms, f"post {minute}")
        ids = [PostId(number + 1) for number in range(minute + 1)]
        views = [10 * (minute + 1 - number) for number in range(minute + 1)]
        drafts += [
            draft(UPDATES, PostsSeen(channel_id=channel, observed_at_ms=at_ms, posts=[post])),
            draft(
                UPDATES,
                CountersSampled(
                    channel_id=channel, observed_at_ms=at_ms, post_ids=ids, views=list(views)
                ),
            ),
            draft(
                UPDATES,
                SubscribersSampled(
                    channel_id=channel, observed_at_ms=at_ms, subscribers=1000 + minute
                ),
            ),
            draft(WINDOWS, window(channel, minute, gained=10 * minute)),
            draft(WINDOWS, ChannelSummary(channel_id=channel, observed_at_ms=at_ms)),
            draft(ALERTS, alert(channel, minute)),
        ]
        if minute:
            drafts.append(
                draft(WINDOWS, window(channel, minute - 1, 10 * minute - 10, closed=True))
            )
    return drafts


def window(channel: ChannelId, minute: int, gained: int, *, closed: bool = False) -> ActivityWindow:
    start_ms = NOON_MS + minute * MINUTE_MS
    return ActivityWindow(
        channel_id=channel,
        observed_at_ms=start_ms + channel % 1000,
        start_ms=start_ms,
        views_gained=gained,
        closed=closed,
    )


def alert(channel: ChannelId, minute: int) -> Alert:
    return Alert(
        alert_id=f"spike-{channel}",
        channel_id=channel,
        observed_at_ms=NOON_MS + minute * MINUTE_MS,
        type="spike",
        state="updated",
        raised_at_ms=NOON_MS,
        observed=float(minute),
        expected=1.0,
        method="median",
    )


async def opened_log(folder: Path, partitions: int = 2) -> EmbeddedLog:
    log = await EmbeddedLog.open(folder)
    for topic in topics.ALL:
        await log.create(topic, partitions)
    return log


async def ends(log: EmbeddedLog) -> Offsets:
    """The end of all that history reads."""
    return {
        partition: bounds.next
        for topic in (UPDATES, *kinds.TOPICS)
        for partition, bounds in (await log.bounds(topic.name)).items()
    }


#: What the reader keeps for itself: it differs with the log that the rows came from.
_OF_READER = {"positions", "removed_unread"}


def stored(folder: Path, *, of_reader: bool = False) -> dict[str, list[Any]]:
    """All rows of all tables, in an order of their own; or those that the reader keeps."""
    with _client(folder) as client:
        tables = client.query(
            "SELECT name FROM system.tables WHERE database = 'analyticbot'"
            " AND engine LIKE '%MergeTree' AND name != 'schema_migrations'"
        )
        return {
            table: list(client.query(_all_of(table)).result_rows)
            for (table,) in tables.result_rows
            if (table in _OF_READER) == of_reader
        }


def selected(folder: Path, question: str, **parameters: Any) -> list[Any]:
    """Rows of a question beside the agent."""
    with _client(folder) as client:
        return list(client.query(question, parameters=parameters).result_rows)


def run_in(folder: Path, statement: str) -> None:
    """A statement of an operator, beside the agent."""
    with _client(folder) as client:
        client.command(statement)


@contextmanager
def _client(folder: Path) -> Iterator[Client]:
    client = clickhouse_connect.get_client(
        interface="chdb",
        path=str(folder),
        database="analyticbot",
        chdb_options={"config-file": CONFIG},
    )
    yield client
    client.close()


def _all_of(table: str) -> str:
    left_out = _OF_INSERTIONS.get(table)
    columns = f"* EXCEPT ({left_out})" if left_out else "*"
    return f"SELECT {columns} FROM {table} FINAL ORDER BY ALL"
