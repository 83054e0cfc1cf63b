"""Removes secrets from printed text: a second line of defence.

The first is that our code logs no secret, and that records of libraries, which may contain the
values they work with, are dropped below a warning. This module removes known secrets, and text
with the shape of one.
"""

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

_SHAPES = (
    # A Telethon session: a version, an address, a port and a key, in base64.
    r"(?<![\w-])1[\w-]{330,}=*",
    # A bot's token.
    r"(?<![0-9])[0-9]{5,}:[A-Za-z0-9_-]{30,}",
    # A password in a URL.
    r"(?<=://)[^\s/:@\"',]*:[^\s/@\"',]+(?=@)",
    # A phone number in international form.
    r"(?<![\w+])\+[0-9]{9,15}(?![0-9])",
)
#: Shorter secrets would also match text that is not secret.
_SHORTEST = 6


class Redactor:
    """Replaces known secrets, and text that looks like one, by `HIDDEN`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, known), *_SHAPES]))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text)
