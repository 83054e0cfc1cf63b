"""Links to channels in the path of a request: encoded, but with slashes in them.

`/api/v1/channels/https%3A%2F%2Ft.me%2Fdurov/posts` is asked as `/api/v1/channels/durov/posts`: a
server decodes the path before it is routed, so the link would be taken for several parts of it.
"""

from typing import Any
from urllib.parse import unquote

from litestar import Litestar

from streams.ids import InvalidChannel, parse_channel, spelling

_CHANNELS = "/api/v1/channels/"


class SpellingApp(Litestar):
    """Litestar, which routes such a request as if it had been spelled with the channel's name."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and b"%2f" in scope.get("raw_path", b"").lower():
            scope["path"] = spelled(scope["raw_path"].decode("latin-1"), scope["path"])
        await super().__call__(scope, receive, send)


def spelled(raw_path: str, path: str) -> str:
    """The path with the channel in its one spelling; `path` where none is named by it."""
    before, found, rest = raw_path.partition(_CHANNELS)
    if before or not found:
        return path
    link, slash, below = rest.partition("/")
    try:
        channel = spelling(parse_channel(unquote(link)))
    except InvalidChannel:
        # Still encoded it is one part of the path, so the answer is about the channel.
        channel = link
    return f"{_CHANNELS}{channel}{slash}{unquote(below)}"
