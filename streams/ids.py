"""Identities of Telegram things, and the spellings people give them.

A channel id is Telegram's *bare* id everywhere inside the project. The Bot API's marked spelling
(``-100…``) and usernames exist only at the borders and are turned into bare ids here.
"""

import re
from typing import NewType

ChannelId = NewType("ChannelId", int)
PostId = NewType("PostId", int)
Username = NewType("Username", str)

#: Marked id = -(MARK + bare id): https://core.telegram.org/api/bots/ids
MARK = 1_000_000_000_000
#: The highest bare id Telegram gives to a channel (same source).
HIGHEST_TELEGRAM_ID = 997_852_516_352

_USERNAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{2,31})")
_NUMBER = re.compile(r"-?[0-9]{1,15}")


class InvalidChannel(ValueError):
    """The text is neither a username nor a channel id in one of its spellings."""


def parse_channel(text: str) -> ChannelId | Username:
    """Read ``name``, ``@name``, ``123`` (bare) or ``-100123`` (marked).

    Usernames come back in lower case, because Telegram compares them so.
    Raises InvalidChannel on anything else.
    """
    if _NUMBER.fullmatch(text):
        return bare_id(int(text))
    if name := _USERNAME.fullmatch(text):
        return Username(name[1].lower())
    raise InvalidChannel(f"{text!r} is not a channel: give a @username or a channel id")


def bare_id(number: int) -> ChannelId:
    """The bare id of a channel id in the bare or the marked spelling. Raises InvalidChannel."""
    bare = -number - MARK if number < -MARK else number
    if not 0 < bare < MARK:
        raise InvalidChannel(f"{number} is not a channel id")
    return ChannelId(bare)


def marked_id(channel_id: ChannelId) -> int:
    """The Bot API's spelling of a channel id."""
    return -(MARK + channel_id)
