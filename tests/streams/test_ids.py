"""The spellings of a channel."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streams.ids import (
    HOSTS,
    RESERVED,
    ChannelId,
    InvalidChannel,
    bare_id,
    marked_id,
    parse_channel,
    spelling,
)
from tests.streams.strategies import channel_ids


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("durov", "durov"),
        ("@Durov", "durov"),
        ("1006503122", 1006503122),
        ("-1001006503122", 1006503122),
        ("id1006503122", 1006503122),
        ("@id1006503122", "id1006503122"),
        (" @durov\n", "durov"),
        ("https://t.me/durov", "durov"),
        ("https://t.me/Durov/", "durov"),
        ("HTTPS://T.ME/durov", "durov"),
        ("t.me/durov", "durov"),
        ("t.me/@durov", "durov"),
        ("http://telegram.me/durov", "durov"),
        ("https://telegram.dog/durov", "durov"),
        ("https://www.t.me/durov", "durov"),
        ("https://durov.t.me", "durov"),
        ("durov.t.me/123", "durov"),
        ("https://t.me/s/durov", "durov"),
        ("https://t.me/s/durov?before=100", "durov"),
        ("https://t.me/durov/123", "durov"),
        ("https://t.me/durov/123?comment=5#x", "durov"),
        ("https://t.me/durov?boost", "durov"),
        ("https://t.me/id1006503122", "id1006503122"),
        ("https://t.me/c/1006503122/55", 1006503122),
        ("https://t.me/c/1006503122", 1006503122),
        ("tg://resolve?domain=durov", "durov"),
        ("tg:resolve?domain=Durov&post=5", "durov"),
        ("tg://privatepost?channel=1006503122&post=55", 1006503122),
    ],
)
def test_every_spelling_is_read(text: str, channel: int | str) -> None:
    assert parse_channel(text) == channel


@pytest.mark.parametrize(
    "text",
    ["", "@", "a b", "0", "-5", "-1000000000000", "x" * 40, "1e5", "../x", "\u0661\u0662", "id0"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidChannel):
        parse_channel(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://t.me/+AbCdEf123", "is an invitation"),
        ("t.me/joinchat/AbCdEf123", "is an invitation"),
        ("tg://join?invite=AbCdEf123", "is an invitation"),
        ("https://t.me/+998901234567", "is an invitation"),
        ("https://t.me/addstickers/Animals", "to no channel"),
        ("https://t.me/proxy?server=a&port=1", "to no channel"),
        ("https://t.me/addlist/AbCd", "to no channel"),
        ("https://t.me/", "to no channel"),
        ("https://t.me/c/", "to no channel"),
        ("https://t.me/c/abc/1", "to no channel"),
        (f"https://t.me/c/{'1' * 5000}", "to no channel"),
        ("tg://msg_url?url=x", "is not a channel"),
        ("tg://settings?x=1", "to no channel"),
        ("https://example.com/durov", "is a link to example.com"),
        ("https://t.me.example.com/durov", "is a link to t.me.example.com"),
        ("https://not-t.me/durov", "is a link to not-t.me"),
        ("ftp://t.me/durov", "is not a channel"),
        ("https://user@t.me/durov", "is not a channel"),
    ],
)
def test_a_link_to_something_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidChannel, match=reason) as raised:
        parse_channel(text)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


usernames = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{2,31}", fullmatch=True)


@given(usernames, st.sampled_from(HOSTS), st.sampled_from(["", "http://", "https://"]))
def test_a_link_to_a_name_is_the_name(name: str, host: str, scheme: str) -> None:
    assume(name.lower() not in RESERVED)
    for path in (name, f"s/{name}", f"@{name}", f"{name}/7", f"{name}/", f"{name}?single"):
        assert parse_channel(f"{scheme}{host}/{path}") == parse_channel(f"@{name}")


@pytest.mark.parametrize("channel", ["durov", "id1006503122", 1006503122])
def test_a_channel_has_one_spelling_that_is_read_as_the_same(channel: int | str) -> None:
    assert parse_channel(spelling(channel)) == channel  # type: ignore[arg-type]


@given(st.text())
def test_every_text_names_a_channel_in_its_one_spelling_or_is_refused(text: str) -> None:
    for spelled in (text, f"t.me/{text}", f"tg://{text}"):
        try:
            channel = parse_channel(spelled)
        except InvalidChannel:
            continue
        assert parse_channel(spelling(channel)) == channel


@given(channel_ids)
def test_marked_and_bare_spell_the_same_channel(channel_id: ChannelId) -> None:
    assert bare_id(marked_id(channel_id)) == bare_id(channel_id) == channel_id
    assert parse_channel(str(marked_id(channel_id))) == channel_id
