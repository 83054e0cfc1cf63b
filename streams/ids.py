"""Identities of Telegram things, and the spellings people give them.

A channel id is Telegram's *bare* id everywhere inside the project. The Bot API's marked spelling
(``-100…``) and usernames exist only at the borders and are turned into bare ids here.
"""

import re
from collections.abc import Mapping
from typing import NewType
from urllib.parse import parse_qsl

ChannelId = NewType("ChannelId", int)
PostId = NewType("PostId", int)
Username = NewType("Username", str)

#: Marked id = -(MARK + bare id): https://core.telegram.org/api/bots/ids
MARK = 1_000_000_000_000
#: The highest bare id Telegram gives to a channel (same source).
HIGHEST_TELEGRAM_ID = 997_852_516_352

_USERNAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{2,31})")
_DIGITS = re.compile(r"[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}")
#: As recordings name a channel that has no username. With an @ before it, it is a username.
_ID = re.compile(r"id([0-9]{1,15})")
_LINK = re.compile(
    r"(?:https?://)?((?:[a-z0-9_-]+\.)*[a-z0-9-]+\.[a-z]+)(?::[0-9]+)?(?:/(.*))?", re.I | re.S
)
_APP_LINK = re.compile(r"tg:(?://)?([a-z]+)/?\?(.*)", re.IGNORECASE | re.DOTALL)
HOSTS = ("t.me", "telegram.me", "telegram.dog")
#: First words of paths at t.me that name something else than a channel.
RESERVED = frozenset(
    ("a", "addemoji", "addlist", "addstickers", "addtheme", "bg", "boost", "call", "confirmphone",
     "contact", "giftcode", "invoice", "iv", "login", "m", "msg", "nft", "proxy", "setlanguage",
     "share", "socks", "stickers")
)  # fmt: skip
#: What an error repeats of a text, at most.
_REPEATED = 80


class InvalidChannel(ValueError):
    """The text names no channel. The message is one line that says why, and what would."""


def parse_channel(text: str) -> ChannelId | Username:
    """Read a channel as people write and copy it.

    ``name``, ``@name``, ``123`` (bare), ``-100123`` (marked), ``id123``; links to a channel or to
    one of its posts (``https://t.me/name/5``, ``t.me/s/name``, ``name.t.me``, ``t.me/c/123/5``,
    ``tg://resolve?domain=name``), with or without ``https://``.

    Usernames come back in lower case, because Telegram compares them so.
    Raises InvalidChannel on anything else.
    """
    spelled = text.strip()
    if _NUMBER.fullmatch(spelled):
        return bare_id(int(spelled))
    if numbered := _ID.fullmatch(spelled):
        return bare_id(int(numbered[1]))
    if name := _USERNAME.fullmatch(spelled):
        return Username(name[1].lower())
    if link := _LINK.fullmatch(spelled):
        return _linked(text, link[1].lower(), link[2] or "")
    if link := _APP_LINK.fullmatch(spelled):
        return _linked_by_app(text, link[1].lower(), dict(parse_qsl(link[2])))
    raise InvalidChannel(
        f"{_shown(text)} is not a channel: use a @username, a t.me link or a channel id"
    )


def _linked(text: str, host: str, rest: str) -> ChannelId | Username:
    host = host.removeprefix("www.")
    words = [word for word in re.split(r"[?#]", rest, maxsplit=1)[0].split("/") if word]
    if host.endswith(".t.me"):
        words.insert(0, host.removesuffix(".t.me"))
    elif host not in HOSTS:
        raise InvalidChannel(f"{_shown(text)} is a link to {host}: use a t.me link or a @username")
    if words[:1] == ["s"]:
        words = words[1:]
    match words:
        case ["c", number, *_] if _DIGITS.fullmatch(number):
            return bare_id(int(number))
        case ["joinchat", *_]:
            raise _invitation(text)
        case [word, *_] if word.startswith("+"):
            raise _invitation(text)
        case [word, *_] if word.lower() not in RESERVED and (name := _USERNAME.fullmatch(word)):
            return Username(name[1].lower())
    raise InvalidChannel(f"{_shown(text)} is a link of Telegram's, but to no channel")


def _linked_by_app(text: str, action: str, given: Mapping[str, str]) -> ChannelId | Username:
    if action == "resolve" and (name := _USERNAME.fullmatch(given.get("domain", ""))):
        return Username(name[1].lower())
    if action == "privatepost" and _DIGITS.fullmatch(given.get("channel", "")):
        return bare_id(int(given["channel"]))
    if action == "join":
        raise _invitation(text)
    raise InvalidChannel(f"{_shown(text)} is a link of Telegram's, but to no channel")


def _invitation(text: str) -> InvalidChannel:
    return InvalidChannel(
        f"{_shown(text)} is an invitation, which does not say to which channel: join it with the "
        "account that observes, and give the channel's id (-100…)"
    )


def spelling(channel: ChannelId | Username) -> str:
    """Its one spelling: `parse_channel` reads the same of it."""
    return f"@{channel}" if _ID.fullmatch(str(channel)) else str(channel)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _REPEATED else f"{text[:_REPEATED]}…")


def bare_id(number: int) -> ChannelId:
    """The bare id of a channel id in the bare or the marked spelling. Raises InvalidChannel."""
    bare = -number - MARK if number < -MARK else number
    if not 0 < bare < MARK:
        raise InvalidChannel(f"{number} is not a channel id")
    return ChannelId(bare)


def marked_id(channel_id: ChannelId) -> int:
    """The Bot API's spelling of a channel id."""
    return -(MARK + channel_id)
