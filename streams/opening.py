"""The log that a URL names. The one place that knows which kinds there are."""

from streams.clock import Clock
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import SCHEME, path_of, settings_of
from streams.log import Log, LogError


async def open_log(url: str, clock: Clock | None = None) -> Log:
    """Opens ``embedded:///folder``; its settings may follow as a query.

    Raises LogError for a URL of no known kind, and what opening raises.
    """
    if url.split(":", 1)[0] == SCHEME:
        return await EmbeddedLog.open(path_of(url), settings_of(url), clock)
    raise LogError(f"{url!r} is no log: write {SCHEME}:///absolute/folder")
