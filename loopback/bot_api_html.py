"""Telegram's HTML: parses message texts with tags, and refuses those that Telegram refuses.

See https://core.telegram.org/bots/api#html-style: a fixed set of tags, closed in order; only four
named entities. The offsets of the result are in UTF-16 units.
"""

import html
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

#: The types of message entities, by tag.
_TYPES: Mapping[str, str] = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAG = re.compile(r"<(/?)([^\s<>/]*)([^<>]*)>")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);")
_ATTRIBUTE = re.compile(r"""\s+([a-z-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?""")


class BadMarkup(ValueError):
    """The message is Telegram's wording after ``can't parse entities: ``."""


class Formatted(NamedTuple):
    text: str
    entities: list[dict[str, Any]]


class _Open(NamedTuple):
    tag: str
    offset: int
    attributes: Mapping[str, str]


def read_html(source: str) -> Formatted:
    """The plain text and its entities. Raises BadMarkup."""
    text, at = "", 0
    open_tags: list[_Open] = []
    entities: list[dict[str, Any]] = []
    while at < len(source):
        if source[at] != "<":
            end = source.find("<", at)
            end = len(source) if end < 0 else end
            text += _plain(source[at:end])
            at = end
            continue
        tag = _TAG.match(source, at)
        if not tag:
            raise BadMarkup(f"Unclosed start tag at byte offset {_bytes(source, at)}")
        if tag[1]:
            opened = _closed(open_tags, tag[2].lower(), _bytes(source, at))
            entities += _entity(opened, _units(text))
        else:
            open_tags.append(_opened(tag, _units(text), _bytes(source, at)))
        at = tag.end()
    if open_tags:
        raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{open_tags[-1].tag}"')
    return Formatted(text, sorted(entities, key=lambda each: (each["offset"], -each["length"])))


def _opened(tag: re.Match[str], offset: int, at: int) -> _Open:
    name = tag[2].lower()
    attributes = {key: value.strip("\"'") for key, value in _ATTRIBUTE.findall(tag[3])}
    spoiler = name != "span" or attributes.get("class") == "tg-spoiler"
    if name not in _TYPES or not spoiler:
        raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {at}')
    if _ATTRIBUTE.sub("", tag[3]).strip():
        raise BadMarkup(f'Unexpected end of name token at byte offset {at} in the tag "{name}"')
    return _Open(name, offset, attributes)


def _closed(open_tags: list[_Open], name: str, at: int) -> _Open:
    if not open_tags:
        raise BadMarkup(f"Unexpected end tag at byte offset {at}")
    opened = open_tags.pop()
    if name not in ("", opened.tag):
        expected = f'expected "</{opened.tag}>", found "</{name}>"'
        raise BadMarkup(f"Unmatched end tag at byte offset {at}, {expected}")
    return opened


def _entity(opened: _Open, end: int) -> list[dict[str, Any]]:
    """The entity of a tag; none for an empty tag or a link without a valid URL."""
    length = end - opened.offset
    entity = {"type": _TYPES[opened.tag], "offset": opened.offset, "length": length}
    if opened.tag == "a":
        url = opened.attributes.get("href", "")
        if not re.match(r"(https?|tg)://.", url):
            return []
        entity["url"] = html.unescape(url)
    if opened.tag == "tg-emoji":
        entity["custom_emoji_id"] = opened.attributes.get("emoji-id", "")
    return [entity] if length else []


def _plain(part: str) -> str:
    """Resolves the references that Telegram knows; others stay unchanged."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), part)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _bytes(source: str, at: int) -> int:
    return len(source[:at].encode())
