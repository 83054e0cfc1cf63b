"""Decisions with keys of their own, or of several topics: what is forwarded, refused, planned."""

from collections.abc import Iterable

import msgspec
import pytest

from agents.engine.decision import Decision
from agents.engine.keys import KEY_BYTES, KEYS, KeyFailed
from agents.engine.ports import Table
from agents.pipeline import INPUTS, PIPELINE, plan, topology
from streams import topics
from streams.codec import encode
from streams.events import Post, PostsSeen
from streams.ids import ChannelId, PostId
from streams.topics import AGENTS, UPDATES, WINDOWS, channel_key, repartition_of
from tables.rows import Row, RowDecoder
from tests.agents.in_memory import InMemory
from tests.agents.proofs import JOINED, WORDS, Word
from tests.streams.sources.manual_clock import ManualClock

T = 1_760_000_040_000
replace = msgspec.structs.replace
FORWARDED = repartition_of(AGENTS, "words")


def running(decision: Decision = WORDS) -> InMemory:
    return InMemory((decision,), INPUTS, ManualClock(2**41))


def say(run: InMemory, text: str, channel: int = 7) -> None:
    post = Post(PostId(1), T, text=text)
    seen = PostsSeen(channel_id=ChannelId(channel), observed_at_ms=T, posts=[post])
    run.append(UPDATES.name, channel_key(seen.channel_id), encode(seen), T)
    run.run()


def words_in(run: InMemory) -> dict[bytes, Word]:
    read = RowDecoder(Word)
    return {key: read(data) for key, data in run.tables["words"].items()}


def keyed(*keys: bytes) -> Decision:
    return replace(WORDS, key=lambda _message: keys)


def test_a_message_goes_to_each_of_its_keys_once() -> None:
    run = running()
    say(run, "apples bananas apples")
    say(run, "no word is long")
    say(run, "apples", channel=8)
    assert [record.key for record in run.topics[FORWARDED.name]] == [
        b"apples",
        b"bananas",
        b"apples",
    ]
    assert {key: row.posts for key, row in words_in(run).items()} == {
        b"apples": {7: 1, 8: 1},
        b"bananas": {7: 1},
    }
    forwarded = {"stage": "words.key"}
    sent = run.metrics.registry.get_sample_value("analyticbot_sent_total", forwarded)
    assert sent == 3


def test_what_is_forwarded_keeps_its_time_and_headers() -> None:
    run = running()
    say(run, "apples")
    [source] = run.topics[UPDATES.name]
    run.topics[UPDATES.name].append(source._replace(offset=1, headers={"traceparent": b"x"}))
    run.run()
    first, second = run.topics[FORWARDED.name]
    assert (first.timestamp_ms, dict(first.headers)) == (T, {})
    assert dict(second.headers) == {"traceparent": b"x"}


def test_a_message_that_is_read_again_is_not_forwarded_again() -> None:
    run = running()
    say(run, "apples")
    run.restart({UPDATES.name: 0})
    say(run, "bananas")
    assert len(run.topics[FORWARDED.name]) == 2
    assert {key: row.posts for key, row in words_in(run).items()} == {
        b"apples": {7: 1},
        b"bananas": {7: 1},
    }


@pytest.mark.parametrize(
    ("keys", "good", "reason"),
    [
        ((b"", b"good"), [b"good"], "a key is empty"),
        ((b"good", b"x" * (KEY_BYTES + 1)), [b"good"], f"a key has {KEY_BYTES + 1} bytes"),
        ((b"x" * KEY_BYTES,), [b"x" * KEY_BYTES], None),
        (
            [b"%d" % n for n in range(KEYS + 1)],
            [b"%d" % n for n in range(KEYS)],
            f"it has {KEYS + 1} keys",
        ),
        ([b"%d" % n for n in range(KEYS)], [b"%d" % n for n in range(KEYS)], None),
    ],
    ids=["empty", "too long", "as long as may be", "one too many", "as many as may be"],
)
def test_a_key_that_is_refused_costs_itself_alone(
    keys: Iterable[bytes], good: list[bytes], reason: str | None
) -> None:
    run = running(keyed(*keys))
    say(run, "any")
    assert [record.key for record in run.topics[FORWARDED.name]] == good
    dead = run.topics[UPDATES.dead]
    assert len(dead) == (reason is not None)
    for letter in dead:
        assert letter.value == run.topics[UPDATES.name][0].value
        assert letter.headers["reason"] == b"wrong_key"
        assert reason is not None
        assert letter.headers["detail"].decode().startswith(reason)
        assert letter.headers["decision"] == b"words.key"
        assert (letter.headers["topic"], letter.headers["offset"]) == (UPDATES.name.encode(), b"0")


def test_refused_keys_are_told_once_when_the_message_is_read_again() -> None:
    run = running(keyed(b""))
    say(run, "any")
    run.restart({UPDATES.name: 0})
    run.run()
    assert len(run.topics[UPDATES.dead]) == 1


def test_a_key_function_that_fails_ends_the_process_and_says_where() -> None:
    def broken(_message: object) -> Iterable[bytes]:
        raise LookupError("no such word")

    run = running(replace(WORDS, key=broken))
    with pytest.raises(KeyFailed) as failed:
        say(run, "any")
    assert str(failed.value) == (
        "words.key: broken failed on telegram.updates/0 at offset 0: LookupError('no such word')"
    )
    assert not run.topics[FORWARDED.name]


def test_a_key_that_is_not_bytes_ends_the_process() -> None:
    with pytest.raises(KeyFailed, match="'text' is not bytes"):
        say(running(replace(WORDS, key=lambda _message: ["text"])), "any")


def test_what_cannot_be_read_of_a_forwarded_topic_is_its_dead_letter() -> None:
    run = running()
    run.append(FORWARDED.name, b"apples", b"\xc1", T)
    run.run()
    [dead] = run.topics[FORWARDED.dead]
    assert (dead.key, dead.headers["reason"]) == (b"apples", b"broken_bytes")


def test_a_kind_that_is_taken_no_longer_is_passed_over() -> None:
    """It was forwarded before the program was changed."""
    run = running()
    say(run, "apples")
    [forwarded] = run.topics[FORWARDED.name]
    later = running(replace(WORDS, kinds=WORDS.kinds[1:]))
    later.append(FORWARDED.name, b"apples", forwarded.value or b"", T)
    later.run()
    assert not later.tables["words"]
    assert not later.topics[FORWARDED.dead]


def test_the_plan_of_a_key_is_two_decisions_and_a_topic_between() -> None:
    planned = plan((*PIPELINE, WORDS))
    assert planned.forwarded == (FORWARDED,)
    assert {"words", "words-forwarded"} <= set(planned.tables)
    [own] = [each for each in planned.inputs if each.upstream]
    assert (own.topic, own.stage, own.upstream) == (FORWARDED, "words", (UPDATES, WINDOWS))
    text = topology(planned)
    assert "telegram.updates + analytics.windows → words.key\n" in text
    assert f"    → {FORWARDED.name}\n\n{FORWARDED.name} → words\n" in text


def test_topics_flow_into_those_that_are_made_from_them() -> None:
    flow = [topic.name for topic in plan((WORDS, JOINED, *reversed(PIPELINE))).flow]
    order = [UPDATES, WINDOWS, FORWARDED, topics.ALERTS]
    assert flow == [topic.name for topic in order]
    again = replace(JOINED, sends=(UPDATES,))
    assert {topic.name for topic in plan((again, *PIPELINE)).flow} == {
        topic.name for topic in order
    } - {FORWARDED.name}


class Plain(Row):
    posts: int = 0


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(WORDS, reads=()), "words reads no topic"),
        (replace(WORDS, reads=(UPDATES, UPDATES)), "words reads a topic twice: telegram.updates"),
        (replace(WORDS, reads=(topics.CONTROL,)), "words reads control.changes, which has no re"),
        (replace(WORDS, key=b"word"), "words has a key that is not a function: b'word'"),
        (replace(WORDS, name="Words!"), "'Words!' cannot name a decision: use a-z, 0-9, - and _"),
        (replace(WORDS, name="history"), "history is a stage of the program itself"),
        (replace(WORDS, name="windows"), "inputs of one stage: windows"),
        (replace(JOINED, name="spikes"), "decisions of one name: spikes"),
        (
            replace(JOINED, tables=(Table("joined", Plain),)),
            "joined reads several topics, so the rows of its table joined must remember what was "
            "folded of each: make Plain a JoinedRow",
        ),
    ],
)
def test_a_declaration_that_contradicts_itself_is_one_line(wrong: Decision, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        plan((*PIPELINE, wrong))
    assert str(refused.value).startswith(reason)
    assert "\n" not in str(refused.value)
