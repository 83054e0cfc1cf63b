"""Telegram's objects as posts and pushes as events, on Telethon's own types."""

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from collect.mapping import channel_of, media_of, post_of, posts_of
from collect.pushes import HANDLED, Push, events_of
from streams.events import CountersSampled, Post, PostsDeleted, PostsEdited, PostsSeen
from streams.ids import ChannelId

DATE = datetime(2025, 1, 1, tzinfo=UTC)
DATE_MS = 1_735_689_600_000
PEER = types.PeerChannel(7)


def message(post_id: int = 1, **fields: Any) -> types.Message:
    return types.Message(id=post_id, peer_id=PEER, date=DATE, message="text", **fields)


def reactions(**counts: int) -> types.MessageReactions:
    kinds = {
        "thumb": types.ReactionEmoji("👍"),
        "custom": types.ReactionCustomEmoji(5),
        "paid": types.ReactionPaid(),
    }
    return types.MessageReactions(
        [types.ReactionCount(kinds[kind], count) for kind, count in counts.items()]
    )


def pushed(*updates: Any) -> list[Any]:
    return events_of(Push(n, ChannelId(7), update) for n, update in enumerate(updates))


def test_a_bare_post() -> None:
    assert post_of(message()) == Post(post_id=1, date_ms=DATE_MS, text="text", reactions={})


def test_a_channel_without_reactions_says_nothing_of_them() -> None:
    assert post_of(message(), reactive=False).reactions is None
    assert post_of(message(reactions=reactions(thumb=1)), reactive=False).reactions == {"👍": 1}


def test_what_telegram_leaves_out_is_none_and_not_unknown() -> None:
    """Comments are off, and reactions: that is 0 of them. A recording may not know."""
    seen = message(views=7)
    assert post_of(seen).replies is None
    whole = post_of(seen, reactive=False, complete=True)
    assert (whole.replies, whole.reactions) == (0, {})
    # Without counters it says nothing of them.
    assert post_of(message(), reactive=False, complete=True).replies is None


def test_a_post_with_everything() -> None:
    origin = types.MessageFwdHeader(date=DATE, from_id=types.PeerChannel(8))
    full = message(
        edit_date=DATE,
        media=types.MessageMediaPhoto(),
        grouped_id=99,
        fwd_from=origin,
        views=10,
        forwards=2,
        replies=types.MessageReplies(replies=3, replies_pts=0),
        reactions=reactions(thumb=4, custom=5, paid=6),
    )
    assert post_of(full, {8: "source"}) == Post(
        post_id=1,
        date_ms=DATE_MS,
        text="text",
        edit_date_ms=DATE_MS,
        media="photo",
        album_id=99,
        forwarded_from="source",
        views=10,
        forwards=2,
        replies=3,
        reactions={"👍": 4, "custom:5": 5, "paid": 6},
    )


def test_an_origin_without_a_username_is_its_id() -> None:
    origin = types.MessageFwdHeader(date=DATE, from_id=types.PeerChannel(8))
    assert post_of(message(fwd_from=origin)).forwarded_from == "8"
    person = types.MessageFwdHeader(date=DATE, from_id=types.PeerUser(8))
    assert post_of(message(fwd_from=person)).forwarded_from is None


def test_a_hidden_edit_is_none() -> None:
    assert post_of(message(edit_date=DATE, edit_hide=True)).edit_date_ms is None


def test_service_messages_are_no_posts() -> None:
    joined = types.MessageService(2, PEER, DATE, types.MessageActionChannelCreate("x"))
    assert [p.post_id for p in posts_of([joined, message(), types.MessageEmpty(3, PEER)])] == [1]


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ([], "document"),
        ([types.DocumentAttributeVideo(1.0, 1, 1)], "video"),
        ([types.DocumentAttributeVideo(1.0, 1, 1), types.DocumentAttributeAnimated()], "animation"),
        ([types.DocumentAttributeAudio(1)], "audio"),
    ],
)
def test_kinds_of_documents(attributes: list[Any], kind: str) -> None:
    document = types.Document(1, 1, b"", DATE, "x/y", 1, 1, attributes)
    assert media_of(types.MessageMediaDocument(document=document)) == kind


def test_kinds_of_media() -> None:
    assert media_of(types.MessageMediaWebPage(types.WebPageEmpty(1))) is None
    assert media_of(types.MessageMediaContact("", "", "", "", 1)) == "contact"
    assert media_of(types.MessageMediaDocument()) == "document"


def test_counters_in_a_row_are_one_sample() -> None:
    [sample] = pushed(
        types.UpdateChannelMessageViews(7, 1, 10),
        types.UpdateChannelMessageForwards(7, 1, 2),
        types.UpdateChannelMessageViews(7, 2, 20),
        types.UpdateMessageReactions(PEER, 2, reactions(thumb=1, paid=2)),
        types.UpdateChannelMessageViews(7, 1, 11),
    )
    assert sample == CountersSampled(
        channel_id=7,
        observed_at_ms=4,
        post_ids=[1, 2],
        views=[11, 20],
        forwards=[2, None],
        reactions=[None, 3],
    )


def test_the_order_of_pushes_is_kept() -> None:
    events = pushed(
        types.UpdateChannelMessageViews(7, 1, 10),
        types.UpdateNewChannelMessage(message(2), 1, 1),
        types.UpdateChannelMessageViews(7, 1, 11),
        types.UpdateEditChannelMessage(message(2, edit_date=DATE), 1, 1),
        types.UpdateDeleteChannelMessages(7, [1], 1, 1),
    )
    kinds = [CountersSampled, PostsSeen, CountersSampled, PostsEdited, PostsDeleted]
    assert [type(event) for event in events] == kinds
    assert [event.observed_at_ms for event in events] == [0, 1, 2, 3, 4]


def test_an_edit_of_reactions_alone_is_no_edit() -> None:
    [event] = pushed(types.UpdateEditChannelMessage(message(edit_date=DATE, edit_hide=True), 1, 1))
    assert isinstance(event, PostsSeen)


def test_150_deletions_are_two_messages() -> None:
    events = pushed(types.UpdateDeleteChannelMessages(7, list(range(1, 151)), 1, 150))
    assert [len(event.post_ids) for event in events] == [100, 50]


def test_hints_and_service_messages_are_not_published() -> None:
    joined = types.MessageService(2, PEER, DATE, types.MessageActionChannelCreate("x"))
    assert pushed(types.UpdateChannel(7), types.UpdateNewChannelMessage(joined, 1, 1)) == []


def test_every_handled_update_tells_its_channel() -> None:
    examples = [
        types.UpdateChannel(7),
        types.UpdateChannelTooLong(7),
        types.UpdateChannelMessageViews(7, 1, 1),
        types.UpdateChannelMessageForwards(7, 1, 1),
        types.UpdateDeleteChannelMessages(7, [1], 1, 1),
        types.UpdateNewChannelMessage(message(), 1, 1),
        types.UpdateEditChannelMessage(message(), 1, 1),
        types.UpdateMessageReactions(PEER, 1, reactions()),
    ]
    assert {type(example) for example in examples} == HANDLED
    assert [channel_of(example) for example in examples] == [7] * 8
    assert channel_of(types.UpdateMessageReactions(types.PeerUser(7), 1, reactions())) is None
