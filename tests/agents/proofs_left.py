"""What the proofs must leave in a log: found from its messages by other means, each once."""

from collections import Counter

import msgspec

from agents.updates.check import read_event
from streams import topics
from streams.analytics import ActivityWindow, Alert, Analytics, ChannelSummary
from streams.codec import decode_analytics
from streams.events import Event, PostsSeen
from streams.kinds import upsert_key
from streams.log import Log, Record
from streams.topics import changelog_of, repartition_of
from tables.rows import RowDecoder
from tests.agents.proofs import JOINED, WORDS, Joined, Word, words_of
from tests.faults.left import lying

PROOFS = (WORDS, JOINED)


async def check_proofs(log: Log, group: str) -> None:
    """Every message was forwarded once, and counted once, in rows and in what was sent."""
    seen: list[Event] = [
        read_event(record).event for record in await _all(log, topics.UPDATES.name)
    ]
    decided = [
        decode_analytics(record.value or b"") for record in await _all(log, topics.WINDOWS.name)
    ]
    posts = [event for event in seen if isinstance(event, PostsSeen)]
    titles = [message for message in decided if isinstance(message, ChannelSummary)]
    forwarded = Counter(
        record.key for record in await _all(log, repartition_of(group, WORDS.name).name)
    )
    assert forwarded == Counter(
        word for message in (*posts, *titles) for word in {*words_of(message)}
    )
    assert len(forwarded) > 40
    words = await _words(log, group)
    assert words.keys() == forwarded.keys()
    used = _used(posts)
    for key, row in words.items():
        assert row.posts == {channel: n for (word, channel), n in used.items() if word == key}
        assert row.titles == sorted({each.channel_id for each in titles if key in words_of(each)})
    joined = await _joined(log, group)
    _check_joined(joined, posts, decided)
    alerts = {
        message.alert_id: message.observed
        for message in (await _newest(log)).values()
        if isinstance(message, Alert) and message.type == "proof"
    }
    assert alerts == {
        **{f"joined/{channel}": row.posts for channel, row in joined.items()},
        **{
            f"word/{key.decode()}/{channel}": row.posts.get(channel, 0)
            for key, row in words.items()
            for channel in {*row.posts, *row.titles}
        },
    }


def _used(posts: list[PostsSeen]) -> Counter[tuple[bytes, int]]:
    """In how many posts of a channel a word stands."""
    each_alone = [
        msgspec.structs.replace(event, posts=[post]) for event in posts for post in event.posts
    ]
    return Counter((word, event.channel_id) for event in each_alone for word in {*words_of(event)})


def _check_joined(
    joined: dict[int, Joined], posts: list[PostsSeen], decided: list[Analytics]
) -> None:
    windows = [message for message in decided if isinstance(message, ActivityWindow)]
    closed = Counter(message.channel_id for message in windows if message.closed)
    published = Counter(event.channel_id for event in posts for _ in event.posts)
    assert joined.keys() == {each.channel_id for each in (*posts, *windows)}
    for channel, row in joined.items():
        assert (row.posts, row.windows) == (published[channel], closed[channel])


async def _words(log: Log, group: str) -> dict[bytes, Word]:
    read = RowDecoder(Word)
    return {key: read(data) for key, data in (await _rows(log, group, "words")).items()}


async def _joined(log: Log, group: str) -> dict[int, Joined]:
    read = RowDecoder(Joined)
    return {int(key): read(data) for key, data in (await _rows(log, group, "joined")).items()}


async def _rows(log: Log, group: str, table: str) -> dict[bytes, bytes]:
    changes = await _all(log, changelog_of(group, table).name)
    return {change.key or b"": change.value or b"" for change in changes}


async def _newest(log: Log) -> dict[str, Analytics]:
    messages = [decode_analytics(each.value or b"") for each in await _all(log, topics.ALERTS.name)]
    return {upsert_key(message): message for message in messages}


async def _all(log: Log, topic: str) -> list[Record]:
    """Without broadcasts, which alone have no key."""
    found = [record for records in (await lying(log, topic)).values() for record in records]
    return [record for record in found if record.key is not None]
