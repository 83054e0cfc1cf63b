"""What the API is told about itself; the environment is read elsewhere."""

import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from api.addresses import is_loopback
from api.limits import Limits

#: Characters of a key.
KEY_AT_LEAST: Final = 16
_KEY: Final = re.compile(rf"[\x21-\x7e]{{{KEY_AT_LEAST},}}")
_STATIC = Path(__file__).parent / "static"


class UnsafeSettings(ValueError):
    """The settings would open the API to others without a key, or with one that can be guessed."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "AnalyticBot"
    version: str = "0.1.0"
    host: str = "127.0.0.1"
    #: 0 takes any free port; `Server.port` says which.
    port: int = 8000
    #: Required on every route and socket when set; must be set to listen beyond this machine.
    api_key: str | None = None
    #: Addresses and networks of the proxies whose X-Forwarded-For and -Proto are believed.
    trusted_proxies: tuple[str, ...] = ()
    #: Where people reach the page; its pages may open sockets, whatever Host a proxy sends on.
    public_url: str = ""
    limits: Limits = Limits()
    mode: Literal["demo", "live"] = "live"
    #: Sentences for the reader of the page: what was measured, what is modelled, whom it is from.
    measured: str = "Every number was read from Telegram at the time shown with it."
    modelled: str = "Nothing."
    credits: tuple[str, ...] = ()
    #: Where the dashboard and Swagger UI were built to.
    static_dir: Path = _STATIC

    @property
    def is_local(self) -> bool:
        return is_loopback(self.host)

    def check(self) -> None:
        """Raises UnsafeSettings, naming what is missing."""
        if not self.is_local and not self.api_key:
            raise UnsafeSettings(
                f"ANALYTICBOT_HOST={self.host} is reachable by others: set ANALYTICBOT_API_KEY, "
                "or listen on 127.0.0.1"
            )
        if self.api_key and not is_strong(self.api_key):
            raise UnsafeSettings(f"ANALYTICBOT_API_KEY: {STRONG}")


#: What a key must be.
STRONG: Final = (
    f"use at least {KEY_AT_LEAST} ASCII characters without spaces, 6 of them different, such as "
    "`openssl rand -hex 24` prints"
)


def is_strong(key: str) -> bool:
    return _KEY.fullmatch(key) is not None and len(set(key)) >= 6
