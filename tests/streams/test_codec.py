"""Round trips, versions, and recordings of every version ever written."""

from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import analytics, codec, events
from streams.kinds import KINDS
from tests.streams.strategies import decisions, observations

SELECTIONS = [codec.Selection(kind.struct) for kind in KINDS]
GOLDEN = Path(__file__).parent / "golden"


@given(observations)
def test_events_survive_the_round_trip(event: events.Event) -> None:
    assert codec.decode_event(codec.encode(event)) == event


@given(decisions)
def test_decisions_survive_the_round_trip(decision: analytics.Analytics) -> None:
    assert codec.decode_analytics(codec.encode(decision)) == decision


@given(observations)
def test_every_event_says_its_version(event: events.Event) -> None:
    assert msgspec.msgpack.decode(codec.encode(event))["v"] == events.VERSION


@given(decisions)
def test_every_decision_says_its_version(decision: analytics.Analytics) -> None:
    assert msgspec.msgpack.decode(codec.encode(decision))["v"] == events.VERSION


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*.jsonl")), ids=lambda path: path.stem)
def test_a_recording_of_every_version_is_read(path: Path) -> None:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert {line["topic"] for line in lines} == {"telegram.updates", "analytics"}
    for line in lines:
        data = bytes.fromhex(line["hex"])
        updates = line["topic"] == "telegram.updates"
        message = codec.decode_event(data) if updates else codec.decode_analytics(data)
        # What was written says what it said; fields that were added since have their defaults.
        reads = msgspec.to_builtins(message)
        assert reads | line["reads"] == reads


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xc1", codec.BrokenBytes),
        (b"", codec.BrokenBytes),
        (msgspec.msgpack.encode({"v": 99, "kind": "posts_seen"}), codec.UnknownVersion),
        (msgspec.msgpack.encode({"v": 99, "kind": "unheard_of"}), codec.UnknownVersion),
        (msgspec.msgpack.encode({"v": 1, "kind": "unheard_of"}), codec.UnknownKind),
        (msgspec.msgpack.encode({"v": 1}), codec.WrongShape),
        (
            msgspec.msgpack.encode({"v": 1, "kind": "posts_seen", "channel_id": "x"}),
            codec.WrongShape,
        ),
        (msgspec.msgpack.encode([1, 2]), codec.WrongShape),
    ],
)
def test_undecodable_bytes_have_a_reason(data: bytes, error: type[codec.Undecodable]) -> None:
    with pytest.raises(error) as raised:
        codec.decode_event(data)
    assert raised.value.reason == error.reason
    with pytest.raises(error):
        codec.decode_analytics(data)


@given(observations | decisions, st.randoms())
def test_a_look_tells_the_kind_whatever_the_order_of_the_fields(
    message: events.Event | analytics.Analytics, moments: Random
) -> None:
    data = codec.encode(message)
    fields = list(msgspec.msgpack.decode(data).items())
    moments.shuffle(fields)
    tag = type(message).__struct_config__.tag
    assert codec.kind_of(data) == codec.kind_of(msgspec.msgpack.encode(dict(fields))) == tag


@given(decisions, st.randoms())
def test_a_selection_is_what_decoding_all_gives(
    message: analytics.Analytics, moments: Random
) -> None:
    data = codec.encode(message)
    fields = list(msgspec.msgpack.decode(data).items())
    moments.shuffle(fields)
    for either in (data, msgspec.msgpack.encode(dict(fields))):
        found = [each for one in SELECTIONS if (each := one.decode(either)) is not None]
        assert found == [message]
        assert codec.Selection(*(kind.struct for kind in KINDS)).decode(either) == message


@given(decisions, st.data())
def test_a_selection_refuses_what_decoding_refuses(
    message: analytics.Analytics, data: st.DataObject
) -> None:
    encoded = codec.encode(message)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    with pytest.raises(codec.BrokenBytes):
        codec.Selection(type(message)).decode(cut)
    assert codec.kind_of(cut) in (None, type(message).__struct_config__.tag)


@given(st.binary(max_size=60))
def test_a_look_at_any_bytes_raises_nothing(data: bytes) -> None:
    kind = codec.kind_of(data)
    with pytest.raises(codec.Undecodable) as raised:
        codec.decode_analytics(data)
    assert getattr(raised.value, "kind", kind) == kind


def test_an_unknown_kind_is_named_and_is_of_no_selection() -> None:
    data = msgspec.msgpack.encode({"kind": "of_tomorrow", "v": 1, "channel_id": 1})
    assert codec.kind_of(data) == "of_tomorrow"
    for decode in (codec.decode_analytics, codec.decode_event, SELECTIONS[0].decode):
        with pytest.raises(codec.UnknownKind, match="of_tomorrow") as raised:
            decode(data)
        assert raised.value.kind == "of_tomorrow"
