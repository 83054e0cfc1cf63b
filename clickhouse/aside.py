"""Moves a history aside as a whole, so that a new one can replace it. Stored data is kept."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from clickhouse.folder_lock import check_free
from clickhouse.history import HistoryError
from clickhouse.opening import open_history, parts_of
from clickhouse.statements import made

if TYPE_CHECKING:
    from clickhouse.server import ServerHistory


async def put_aside(url: str, when: str) -> str | None:
    """Move the history aside. Returns its new place, or None if there was no history.

    The new place is a folder or a database whose name ends with `when`. An interrupted call is
    completed by calling it again. No other process may have the history open. Raises HistoryInUse,
    HistoryUnavailable, HistoryError.
    """
    if parts_of(url).scheme == "chdb":
        return _put_folder_aside(Path(unquote(parts_of(url).path)), when)
    history: ServerHistory = await open_history(url)  # type: ignore[assignment]
    try:
        return await history.move_tables([*made(), "schema_migrations"], f"aside_{when}")
    finally:
        await history.close()


def is_there(url: str) -> bool:
    """Whether there may be a history. Always True for a server, which is not contacted."""
    return parts_of(url).scheme != "chdb" or _is_there(Path(unquote(parts_of(url).path)))


def _is_there(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError as error:
        raise HistoryError(f"history folder {folder}: {error.strerror}") from error


def _put_folder_aside(folder: Path, when: str) -> str | None:
    check_free(folder)
    aside = folder.with_name(f"{folder.name}.aside-{when}")
    if not _is_there(folder):
        return None
    try:
        folder.rename(aside)
    except OSError as error:
        raise HistoryError(
            f"history folder {folder} cannot be renamed to {aside.name}: {error.strerror}"
        ) from error
    return f"folder {aside}"
