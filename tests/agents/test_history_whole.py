"""Kinds that history keeps whole, as JSON: of several decisions, in one table and one insertion."""

import json
from typing import Any

from agents.history.batch import HistoryBatch, Keeping
from streams.analytics import Decision as Message
from streams.codec import encode
from streams.ids import ChannelId
from streams.kind import KeptWhole, Kind, NotKept, NotShown
from streams.kinds import KINDS
from streams.log import Batch, Partition, Record
from streams.topics import SCORES

T = 1_760_000_000_000


class First(Message, frozen=True, kw_only=True, tag="first.one"):
    number: int


class Second(Message, frozen=True, kw_only=True, tag="second.one"):
    number: int


class Unkept(Message, frozen=True, kw_only=True, tag="unkept.one"):
    number: int


def kind(struct: Any, history: Any) -> Kind[Any]:
    return Kind(
        struct=struct,
        topic=SCORES,
        upsert_key=lambda message: f"{message.channel_id}/{message.number % 2}",
        event_type=f"own.{struct.__name__}",
        history=history,
        live=NotShown("a test"),
    )


WHOLE = KeptWhole[Any](version=lambda message: message.observed_at_ms)
KEEPING = Keeping(
    KINDS.and_(kind(First, WHOLE), kind(Second, WHOLE), kind(Unkept, NotKept("a test")))
)


def batch(*messages: Message) -> HistoryBatch:
    taken = HistoryBatch(keeping=KEEPING)
    records = [
        Record(offset, message.observed_at_ms, b"7", encode(message), {})
        for offset, message in enumerate(messages)
    ]
    taken.take(Batch(Partition(SCORES.name, 0), records))
    return taken


def of(struct: Any, number: int, at_ms: int = T) -> Any:
    return struct(channel_id=ChannelId(7), observed_at_ms=at_ms, number=number)


def test_all_are_rows_of_one_table_in_one_insertion() -> None:
    messages = (of(First, 1), of(Second, 1), of(Unkept, 1), of(First, 2))
    [insert] = batch(*messages).inserts()
    assert insert.table == "messages"
    assert insert.columns["kind"] == ["first.one", "first.one", "second.one"]
    assert insert.columns["key"] == ["7/1", "7/0", "7/1"]
    bodies = [json.loads(body) for body in insert.columns["body"]]
    assert [(body["kind"], body["number"]) for body in bodies] == [
        ("first.one", 1),
        ("first.one", 2),
        ("second.one", 1),
    ]
    again = batch(*messages)
    assert again.inserts() == [insert]


def test_the_newest_of_a_key_is_kept() -> None:
    [insert] = batch(of(First, 3, T + 1), of(First, 5, T)).inserts()
    assert insert.columns["version"] == [T + 1]
    assert json.loads(insert.columns["body"][0])["number"] == 3


def test_a_kind_that_is_not_known_is_counted() -> None:
    class Strange(Message, frozen=True, kw_only=True, tag="strange.one"):
        number: int

    taken = batch(of(Strange, 1))
    assert taken.inserts() == []
    assert taken.dropped == {"unknown_kind": 1}
