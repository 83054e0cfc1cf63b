"""Round trips, versions, and recordings of every version ever written."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from streams import analytics, codec, events
from tests.streams.strategies import decisions, observations

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
        (msgspec.msgpack.encode({"v": 1, "kind": "unheard_of"}), codec.WrongShape),
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
