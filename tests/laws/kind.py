"""What every kind of message of analytics.* promises; run by tests/clickhouse on all there are.

A kind that is added to streams.kinds, or that a decision of the pipeline declares, is examined here
without a line more.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from agents.history.batch import HistoryBatch, Keeping
from agents.pipeline import plan
from analyticbot.installed import own
from api import cursor, typescript
from api.cursor import Position
from api.live_view import LiveView, changes_of
from api.messages import LISTS, Changes, Other, Snapshot, key_of
from clickhouse.history import History
from clickhouse.upserts import DecidedRows, kept_of, tables_of
from streams import codec, topics
from streams.analytics import Analytics, Window
from streams.broadcasts import BROADCASTS, Broadcast, SettingChanged, Tick
from streams.events import VERSION
from streams.kind import Inserted, Kept, KeptWhole, Kind, NotKept, NotShown
from streams.kinds import KINDS, declared
from streams.log import Batch, Draft, Partition, Record
from tests.api.serving import CHANNEL, NOW_MS, Serving, next_of, put
from tests.api.test_counting import counted
from tests.api.test_taps import events, take
from tests.streams.strategies import messages_of

TOKEN, BATCH = "kinds", 7
#: Of the program, and of the decisions of its pipeline.
KNOWN = plan().kinds
each_kind = pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.tag)


def sample(kind: Kind[Any], number: int = 0) -> Any:
    """One message of a kind: no field of it is unknown, and no two have the same number."""
    info = inspect.type_info(kind.struct)
    assert isinstance(info, inspect.StructType)
    values = {
        field.name: _value(field.name, field.type, number + place)
        for place, field in enumerate(info.fields, 2)
    }
    # Live has only windows of a minute.
    known = {"v": VERSION, "channel_id": CHANNEL, "size_ms": 60_000}
    values |= {name: value for name, value in known.items() if name in values}
    return kind.struct(**values)


def _value(name: str, of: inspect.Type, number: int) -> Any:
    match of:
        case inspect.BoolType():
            return True
        case inspect.StrType():
            return f"{name} {number}"
        case inspect.FloatType():
            return number + 0.5
        case inspect.IntType():
            return NOW_MS + number * 60_000 if name.endswith("_ms") else number
        case inspect.UnionType():
            return _value(name, of.types[0], number)
        case inspect.ListType():
            return [_value(name, of.item_type, number)]
        case _:
            raise TypeError(f"no value for {name}: {of}")


TABLES = tables_of(KNOWN)
SAMPLES = [sample(kind) for kind in KNOWN]
#: One of each kind.
_BROADCASTS: tuple[Broadcast, ...] = (
    Tick(at_ms=NOW_MS),
    SettingChanged(at_ms=NOW_MS, name="spikes.least", channel_id=CHANNEL, value=5, version=1),
)
assert {type(each) for each in _BROADCASTS} == BROADCASTS


def _tag(broadcast: Broadcast) -> str:
    return str(broadcast.__struct_config__.tag)


class KindLaws:
    """Subclasses give `history` (migrated, empty), `client` (of its database) and `serving`."""

    def test_the_kinds_are_those_of_the_union(self) -> None:
        assert tuple(kind.struct for kind in KINDS) == get_args(Analytics)
        windows = [kind.struct for kind in KINDS if kind.topic is topics.WINDOWS]
        assert tuple(windows) == get_args(Window)

    @each_kind
    def test_a_kind_that_is_not_declared_is_refused(self, kind: Kind[Any]) -> None:
        others = [each for each in KINDS if each is not kind]
        if kind in KINDS:
            with pytest.raises(TypeError, match=f"{kind.struct.__name__}: declare"):
                declared(*others)
        with pytest.raises(TypeError, match="declared twice"):
            KNOWN.and_(kind)

    @each_kind
    def test_a_declaration_leaves_nothing_out(self, kind: Kind[Any]) -> None:
        fields = {name: getattr(kind, name) for name in kind.__struct_fields__}
        for name in fields:
            with pytest.raises(TypeError, match=name):
                Kind(**{other: value for other, value in fields.items() if other != name})
        with pytest.raises(TypeError, match="has no field nothing"):
            Kind(**{**fields, "history": Kept("any", {"a": "nothing"}, lambda _: 1)})

    @each_kind
    def test_its_topic_is_made_and_readers_of_it_have_cursors(self, kind: Kind[Any]) -> None:
        assert kind.topic in own().topics
        assert kind.topic in KNOWN.topics
        at = {Partition(kind.topic.name, 1): Position(5, NOW_MS)}
        assert cursor.decode(cursor.encode(at)) == at

    @each_kind
    @given(data=st.data())
    @settings(max_examples=30)
    def test_it_survives_the_round_trip_with_its_key(
        self, kind: Kind[Any], data: st.DataObject
    ) -> None:
        message = data.draw(messages_of(kind.struct))
        encoded = codec.encode(message)
        decoded = codec.decode_analytics(encoded, KNOWN)
        assert decoded == message
        assert type(decoded) is kind.struct
        assert codec.kind_of(encoded) == kind.tag
        assert KNOWN.upsert_key(decoded) == kind.upsert_key(message)

    @each_kind
    def test_no_other_kind_and_no_other_thing_has_its_key(self, kind: Kind[Any]) -> None:
        keys = [KNOWN.upsert_key(message) for message in SAMPLES]
        assert all(keys)
        assert keys.count(kind.upsert_key(sample(kind))) == 1
        # Of another channel, or of another kind of alert.
        other = msgspec.structs.replace(sample(kind, 50), channel_id=CHANNEL + 1)
        assert kind.upsert_key(other) not in keys

    async def test_taps_have_each_as_a_cloudevent(self, serving: Serving) -> None:
        async with events(serving) as stream:
            await put(serving.log, *SAMPLES, known=KNOWN)
            found = await take(stream, len(KNOWN))
        told = {event["type"]: (event["subject"], event["data"]) for event in found}
        assert told == {
            kind.event_type: (kind.upsert_key(message), msgspec.to_builtins(message))
            for kind, message in zip(KNOWN, SAMPLES, strict=True)
        }

    async def test_live_shows_each_or_says_why_not(self, serving: Serving) -> None:
        shown = {
            KNOWN.upsert_key(each): _shown(each, msgspec.to_builtins)
            for kind, each in zip(KNOWN, SAMPLES, strict=True)
            if not isinstance(kind.live, NotShown)
        }
        told: dict[str, Any] = {}
        async with serving.connect(f"?channels={CHANNEL}") as socket:
            await next_of(socket, Snapshot)
            await put(serving.log, *SAMPLES, known=KNOWN)
            while not shown.keys() <= told.keys():
                told |= {each.key: each.value for each in (await next_of(socket, Changes)).data}
        async with serving.connect(f"?channels={CHANNEL}") as socket:
            data = (await next_of(socket, Snapshot)).data
        assert {key_of(change): change for change in changes_of(data)} == shown
        del told[f"{CHANNEL}/figures"]
        assert told == shown

    @each_kind
    def test_live_folds_what_it_shows_and_nothing_else(self, kind: Kind[Any]) -> None:
        view = LiveView(KNOWN)
        view.fold(sample(kind))
        changes = view.take_changes()
        assert changes == changes_of(view.everything())
        if isinstance(kind.live, NotShown):
            assert kind.live.reason
            assert (changes, len(view.channels)) == ([], 0)
        else:
            assert changes == [_shown(sample(kind))]

    async def test_history_keeps_each_or_says_why_not(
        self, history: History, client: Client
    ) -> None:
        for kind in KNOWN:
            rows = DecidedRows(TABLES)
            rows.take(sample(kind))
            assert len(rows) == (kind.struct in TABLES), kind.tag
            kept = kept_of(kind)
            if kept is not None:
                await self._stored(history, kind, sample(kind))
                row = _row(client, kind, kept.table)
                assert row == _expected(kept, _later(sample(kind)), row), kind.tag
            else:
                assert isinstance(kind.history, NotKept)
                assert kind.history.reason

    async def _stored(self, history: History, kind: Kind[Any], message: Any) -> None:
        """The message, a later one with its key, and the first again, in a batch each."""
        for token, each in (("before", message), (TOKEN, _later(message)), ("again", message)):
            rows = DecidedRows(TABLES)
            rows.take(each)
            (insert,) = rows.inserts(token, BATCH)
            await history.insert(insert)

    async def test_asyncapi_describes_each(self, serving: Serving) -> None:
        parts = (await serving.get("/asyncapi.json")).json()["components"]
        payloads = {each["name"]: each["payload"] for each in parts["messages"].values()}
        for kind in KNOWN:
            _, own = payloads[kind.event_type]["allOf"]
            name = own["properties"]["data"]["$ref"].rpartition("/")[2]
            schema = parts["schemas"][name]
            assert list(schema["properties"]) == ["kind", *kind.struct.__struct_fields__]
            assert schema["properties"]["kind"] == {"enum": [kind.tag]}

    @each_kind
    def test_the_page_has_a_type_of_what_is_live(self, kind: Kind[Any]) -> None:
        text = typescript.live_types(KNOWN)
        head = f"export interface {kind.struct.__name__} {{\n"
        if isinstance(kind.live, NotShown):
            assert head not in text
            return
        lines = text.partition(head)[2].partition("}")[0].splitlines()
        assert [line.strip().partition(":")[0] for line in lines] == [
            "kind",
            *kind.struct.__struct_fields__,
        ]
        assert f"  kind: {msgspec.json.encode(kind.tag).decode()};" in lines
        assert f"{kind.struct.__name__}" in text.partition("interface Upsert {")[2]

    async def test_broadcasts_are_for_the_engine_alone(self, serving: Serving) -> None:
        """They lie in the topics of decisions; taps, live and history pass over them."""
        drafts = [
            Draft(topic.name, b"0", codec.encode(each), NOW_MS)
            for topic in KNOWN.topics
            for each in _BROADCASTS
        ]
        async with events(serving) as stream, serving.connect() as socket:
            await next_of(socket, Snapshot)
            await serving.log.append(drafts)
            await put(serving.log, *SAMPLES, known=KNOWN)
            found = await take(stream, len(KNOWN))
            await next_of(socket, Changes)
        assert {event["type"] for event in found} == {kind.event_type for kind in KNOWN}
        for stage in ("taps", "live"):
            assert not [
                name for name in counted(serving.metrics.registry, stage) if "dropped" in name
            ]

    @pytest.mark.parametrize("broadcast", _BROADCASTS, ids=_tag)
    def test_history_passes_over_broadcasts(self, broadcast: Broadcast) -> None:
        batch, value = HistoryBatch(keeping=Keeping(KNOWN)), codec.encode(broadcast)
        for topic in (topics.UPDATES, *KNOWN.topics):
            batch.take(Batch(Partition(topic.name, 0), [Record(0, NOW_MS, None, value, {})]))
        assert (len(batch), batch.dropped, batch.unread) == (0, {}, {})

    @pytest.mark.parametrize("broadcast", _BROADCASTS, ids=_tag)
    def test_broadcasts_are_read_by_those_who_want_them(self, broadcast: Broadcast) -> None:
        data = codec.encode(broadcast)
        for decode in (codec.decode_event, codec.decode_analytics):
            with pytest.raises(codec.BroadcastFound) as found:
                decode(data)
            assert found.value.message == broadcast
        assert codec.Selection(type(broadcast)).decode(data) == broadcast
        assert codec.Selection(type(SAMPLES[0])).decode(data) is None
        newer = codec.encode(msgspec.structs.replace(broadcast, v=VERSION + 1))
        with pytest.raises(codec.UnknownVersion):
            codec.decode_event(newer)


def _shown(message: Any, encoded: Callable[[Any], Any] = lambda message: message) -> Any:
    """As the socket says it; `encoded` is what becomes of a message without a list of its own."""
    if type(message) in LISTS:
        return message
    return Other(
        channel_id=message.channel_id,
        observed_at_ms=message.observed_at_ms,
        key=KNOWN.upsert_key(message),
        message=encoded(message),
    )


def _later(message: Any) -> Any:
    return msgspec.structs.replace(message, observed_at_ms=message.observed_at_ms + 3_000)


def _row(client: Client, kind: Kind[Any], table: str) -> dict[str, Any]:
    """The only row of a kind in its table."""
    whole = f" WHERE kind = '{kind.tag}'" if isinstance(kind.history, KeptWhole) else ""
    found = client.query(f"SELECT * FROM {table} FINAL{whole}")
    (row,) = found.result_rows
    return dict(zip(found.column_names, row, strict=True))


def _expected(kept: Kept[Any], message: Any, row: dict[str, Any]) -> dict[str, Any]:
    """What the declaration makes of the message, in the columns' own types."""
    found = dict(row)
    for column, source in kept.columns.items():
        if isinstance(source, Inserted):
            value: Any = BATCH
        else:
            value = getattr(message, source) if isinstance(source, str) else source(message)
        found[column] = _as(row[column], value)
    return found


def _as(stored: Any, value: Any) -> Any:
    """A number as a time, if it is stored as one: seconds, or milliseconds."""
    if not isinstance(stored, dt.datetime):
        return value
    seconds = value / 1000 if value > 10**11 else value
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=stored.tzinfo)
