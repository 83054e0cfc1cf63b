"""Inspects a history without changing it, for `doctor`.

The engine changes every folder that it opens: it moves unreadable parts aside, and merges. So it
opens a copy. Large files in the copy are hard links, because the engine never modifies them.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from clickhouse.aside import is_there
from clickhouse.folder_lock import check_free
from clickhouse.history import History, HistoryDamaged, HistoryError
from clickhouse.opening import open_history, parts_of
from clickhouse.statements import made

_MIGRATE = "run `analyticbot migrate`, or restore it from a backup"
#: Smaller files are copied, because the engine may modify them.
_LARGE = 16 << 10


@asynccontextmanager
async def inspected(url: str) -> AsyncIterator[tuple[History, Sequence[str]] | None]:
    """The history, open for queries, and its faults, one line each. None: there is no history yet.

    Called by `doctor`. Reads every byte of a folder. Raises HistoryInUse, HistoryDamaged,
    HistoryUnavailable, HistoryError.
    """
    if not is_there(url):
        yield None
        return
    parts = parts_of(url)
    if parts.scheme != "chdb":
        history = await open_history(url)
        try:
            tables = (await history.ask("tables", {})).columns["name"]
            missing = [
                f"it has no table {name}: {_MIGRATE}" for name in made() if name not in tables
            ]
            yield history, missing or await history.damage()
        finally:
            await history.close()
        return
    folder = Path(unquote(parts.path))
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".doctor-") as beside:
        copy = Path(beside) / folder.name
        try:
            check_free(folder)
            _copy(folder, copy)
            history = await open_history(parts._replace(path=str(copy)).geturl())
            try:
                yield history, await _damage(history, str(copy), str(folder))
            finally:
                await history.close()
        except HistoryError as error:
            raise type(error)(str(error).replace(str(copy), str(folder))) from error


async def _damage(history: History, copy: str, folder: str) -> Sequence[str]:
    from clickhouse.chdb import ChdbHistory

    assert isinstance(history, ChdbHistory)
    await history.migrate()
    found = [*await history.damage(), *await history.check()]
    return [line.replace(copy, folder) for line in dict.fromkeys(found)]


def _copy(folder: Path, copy: Path) -> None:
    try:
        shutil.copytree(folder, copy, symlinks=True, copy_function=_link_or_copy)
    except (OSError, shutil.Error) as error:
        raise HistoryDamaged(f"history in {folder} cannot be read: {error}") from error


def _link_or_copy(source: str, target: str) -> str:
    if Path(source).stat().st_size >= _LARGE:
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return target
    return shutil.copy2(source, target)
