"""From a URL to an open history. An invalid URL is refused before anything is opened.

chdb:///folder[?database=NAME]                        ClickHouse's engine in this process
clickhouse[s]://[user[:password]@]host[:port]/[NAME]  a ClickHouse server, over HTTP[S]
"""

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from clickhouse.history import History

DEFAULT_DATABASE = "analyticbot"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class WrongHistoryUrl(ValueError):
    """The message states the fault and its remedy; it never contains a password."""


def check_history_url(url: str) -> None:
    """Raises WrongHistoryUrl."""
    parts_of(url)


async def open_history(url: str) -> History:
    """Open the history at `url`. The caller closes it.

    Does not change the schema (History.migrate does). Adapters are imported on use, because each
    needs a library that the other does not. Raises WrongHistoryUrl, HistoryInUse, HistoryDamaged,
    HistoryUnavailable, HistoryError.
    """
    parts = parts_of(url)
    if parts.scheme == "chdb":
        from clickhouse.chdb import ChdbHistory, ChdbSettings

        settings = ChdbSettings(database=_database(parts))
        return await ChdbHistory.open(Path(unquote(parts.path)), settings)
    from clickhouse.server import ServerHistory, ServerSettings

    return await ServerHistory.open(
        ServerSettings(
            host=parts.hostname or "",
            port=parts.port or (8443 if parts.scheme == "clickhouses" else 8123),
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=_database(parts),
            secure=parts.scheme == "clickhouses",
        )
    )


def parts_of(url: str) -> SplitResult:
    """The parts of a valid URL. Raises WrongHistoryUrl."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WrongHistoryUrl(f"the history URL cannot be read: {error}") from error
    if parts.scheme not in ("chdb", "clickhouse", "clickhouses"):
        raise WrongHistoryUrl(
            f"the history URL begins with {parts.scheme!r}: "
            "use chdb:///folder or clickhouse://host:port/database"
        )
    if parts.scheme == "chdb" and (parts.netloc or len(parts.path) < 2):
        raise WrongHistoryUrl("the history URL must name a folder: chdb:///folder")
    if parts.scheme != "chdb" and not parts.hostname:
        raise WrongHistoryUrl("the history URL must name a host: clickhouse://host:port/database")
    _database(parts)
    return parts


def _database(parts: SplitResult) -> str:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    name = options.pop("database", "")
    if parts.scheme != "chdb":
        name = parts.path.strip("/") or name
    if options:
        raise WrongHistoryUrl(f"the history URL has an unknown option: {', '.join(options)}")
    if name and not _NAME.fullmatch(name):
        raise WrongHistoryUrl(f"the history URL names a database {name!r}: use letters and digits")
    return name or DEFAULT_DATABASE
