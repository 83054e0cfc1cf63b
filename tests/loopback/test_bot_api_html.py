"""Telegram's HTML, as TDLib reads it."""

import pytest

from loopback.bot_api_html import BadMarkup, read_html


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("", "", []),
        ("<b>a</b>b", "ab", [("bold", 0, 1)]),
        ("<B>a</B>", "a", [("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("&lt;b&gt; &amp;amp; &quot;", '<b> &amp; "', []),
        ("&nbsp;&#65;&#x42;", "&nbsp;AB", []),
        ("😀<u>é</u>", "😀é", [("underline", 2, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("blockquote", 0, 1)]),
        ("<b></b>x", "x", []),
        ("<b>x</>", "x", [("bold", 0, 1)]),
        ("a > b", "a > b", []),
        ('<a href="nowhere">x</a>', "x", []),
    ],
)
def test_what_is_read(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    result = read_html(source)
    assert result.text == text
    found = [(each["type"], each["offset"], each["length"]) for each in result.entities]
    assert found == entities


def test_a_link_keeps_its_address() -> None:
    result = read_html('see <a href="http://127.0.0.1:8000/?a=1&amp;b=2">it</a>')
    (link,) = result.entities
    expected = {"type": "text_link", "offset": 4, "length": 2}
    assert link == expected | {"url": "http://127.0.0.1:8000/?a=1&b=2"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<h1>a</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("é < b", "Unclosed start tag at byte offset 3"),
        ("é <3 b>", 'Unsupported start tag "3" at byte offset 3'),
        ("<span>a</span>", 'Unsupported start tag "span" at byte offset 0'),
        ("<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ],
)
def test_what_is_refused(source: str, reason: str) -> None:
    with pytest.raises(BadMarkup) as refused:
        read_html(source)
    assert str(refused.value) == reason
