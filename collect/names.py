"""What channels and others are called, and what they are. Pure."""

from typing import Any

from telethon.tl import types

from streams.ids import InvalidChannel, Username, parse_channel


def usernames_of(entity: Any) -> list[str]:
    """The active ones, the foremost first. One who has bought names has no `username`: all stand
    in a list then."""
    listed = getattr(entity, "usernames", None) or ()
    names = [one.username for one in listed if one.active]
    single = getattr(entity, "username", None)
    return [single, *(name for name in names if name != single)] if single else names


def username_of(entity: Any) -> str | None:
    return next(iter(usernames_of(entity)), None)


def username_in(reference: str) -> Username | None:
    """The username by which a channel was followed; None where it was by its id."""
    try:
        parsed = parse_channel(reference)
    except InvalidChannel:
        return None
    return None if isinstance(parsed, int) else parsed


def not_a_channel(entity: Any) -> str | None:
    """What it is instead of a broadcast channel; None where it is one."""
    match entity:
        case types.User():
            return "bot" if entity.bot else "user"
        case types.Chat() | types.ChatForbidden() | types.ChatEmpty():
            return "basic group"
        case types.Channel() | types.ChannelForbidden() if getattr(entity, "gigagroup", False):
            return "gigagroup"
        case types.Channel() | types.ChannelForbidden() if entity.megagroup:
            return "supergroup"
    return None
