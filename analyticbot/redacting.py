"""Secrets in what is printed: a second line of defence.

The first is that nothing of ours logs a secret, and that libraries which log the values they work
with are not listened to below a warning. What is looked for here has a shape of its own.
"""

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

_SHAPES = (
    # A session of Telethon: a version, an address, a port and a key, in base64.
    r"(?<![\w-])1[\w-]{330,}=*",
    # A bot's token.
    r"(?<![0-9])[0-9]{5,}:[A-Za-z0-9_-]{30,}",
    # A password in a URL.
    r"(?<=://)[^\s/:@\"',]*:[^\s/@\"',]+(?=@)",
    # A phone number, as it is dialled from abroad.
    r"(?<![\w+])\+[0-9]{9,15}(?![0-9])",
)
#: Shorter ones would be found where they are not meant.
_SHORTEST = 6


class Redactor:
    """Hides what is known to be secret, and what looks like it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, known), *_SHAPES]))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text)
