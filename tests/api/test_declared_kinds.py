"""Kinds that decisions declare, in the live view and in cursors."""

from typing import Any

import pytest

from api import cursor
from api.cursor import Position
from api.live_view import LAST, WINDOWS, LiveView, changes_of
from api.messages import Other
from streams.analytics import Decision as Message
from streams.ids import ChannelId
from streams.kind import Kind, NotKept, NotShown, Shown
from streams.kinds import KINDS
from streams.log import Partition
from streams.topics import Topic
from streams.units import MINUTE_MS
from tests.api.serving import CHANNEL, NOW_MS, OTHER


class Score(Message, frozen=True, kw_only=True, tag="own.score"):
    start_ms: int = 0
    score: int = 0


def kind(live: Shown | NotShown) -> Kind[Any]:
    return Kind[Score](
        struct=Score,
        topic=Topic("analytics.own"),
        upsert_key=lambda score: f"{score.channel_id}/own/{score.start_ms}",
        event_type="own.score",
        history=NotKept("a test"),
        live=live,
    )


def score(minute: int, number: int, channel: ChannelId = CHANNEL) -> Score:
    start_ms = NOW_MS + minute * MINUTE_MS
    return Score(channel_id=channel, observed_at_ms=start_ms, start_ms=start_ms, score=number)


def told(message: Score) -> Other:
    return Other(
        channel_id=message.channel_id,
        observed_at_ms=message.observed_at_ms,
        key=f"{message.channel_id}/own/{message.start_ms}",
        message=message,
    )


@pytest.mark.parametrize(
    ("live", "kept"),
    [
        ("channel", [(2, 3, OTHER), (2, 4, CHANNEL)]),
        ("minutes", [(1, 2, CHANNEL), (2, 4, CHANNEL), (2, 3, OTHER)]),
        ("last", [(1, 2, CHANNEL), (2, 3, OTHER), (2, 4, CHANNEL)]),
    ],
)
def test_they_are_shown_as_they_are_declared(
    live: Shown, kept: list[tuple[int, int, ChannelId]]
) -> None:
    view = LiveView(KINDS.and_(kind(live)))
    sent = [score(1, 1), score(1, 2), score(2, 3, OTHER), score(2, 4)]
    for message in sent:
        view.fold(message)
    expected = sorted((told(score(*each)) for each in kept), key=repr)
    assert sorted(view.take_changes(), key=repr) == expected
    assert sorted(changes_of(view.everything()), key=repr) == expected
    own = [each for each in expected if each.channel_id == OTHER]
    assert changes_of(view.everything(frozenset({OTHER}))) == own
    # A list of all channels shows what fits in it.
    listed = view.listed(NOW_MS).others
    assert sorted(listed, key=repr) == ([] if live == "minutes" else expected)
    assert view.take_changes() == []


@pytest.mark.parametrize(("live", "most"), [("channel", 1), ("minutes", WINDOWS), ("last", LAST)])
def test_what_is_kept_of_them_is_bounded(live: Shown, most: int) -> None:
    view = LiveView(KINDS.and_(kind(live)))
    for minute in range(most + 5):
        view.fold(score(minute, minute))
    assert len(view.everything().others) == most
    assert told(score(most + 4, most + 4)) in view.everything().others


def test_what_is_not_shown_changes_nothing() -> None:
    view = LiveView(KINDS.and_(kind(NotShown("a test"))))
    view.fold(score(1, 1))
    assert view.take_changes() == changes_of(view.everything()) == []


def test_cursors_name_topics_that_the_program_does_not_know() -> None:
    positions = {
        Partition("analytics.own", 1): Position(5, NOW_MS),
        Partition("analytics.windows", 0): Position(7),
    }
    assert cursor.decode(cursor.encode(positions)) == positions
