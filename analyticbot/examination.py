"""The examination of the stores by `doctor`; it creates, repairs and migrates nothing."""

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from agents.history.pending import Held
from agents.history.positions import reads
from agents.history.writer import GROUP
from analyticbot.config import Settings
from analyticbot.installed import Decisions
from analyticbot.process import is_embedded
from analyticbot.stores import wanted_topics
from clickhouse.history import History, HistoryError, HistoryInUse
from clickhouse.inspection import inspected
from control.opening import check_file, file_of
from control.sql import open_control
from control.store import ControlError
from streams.embedded.inspection import inspect
from streams.embedded.settings import path_of
from streams.log import Bounds, LogError, LogInUse, Offsets, Partition
from streams.opening import open_log

#: Attempts to copy a control store while another process writes to it.
_COPIES = 10
#: For a store that another process has open, which reports its state.
_IN_USE = "; its /readyz says how it is"


class Found(NamedTuple):
    right: bool
    says: str


class LogFacts(NamedTuple):
    bounds: Mapping[Partition, Bounds]
    #: The committed offsets of history's group.
    committed: Offsets


async def examine_log(settings: Settings, known: Decisions) -> tuple[Found, LogFacts | None]:
    """The facts are None if the log is unreadable or in use. Does not raise LogError."""
    try:
        if is_embedded(settings):
            return _embedded(settings)
        return await _kafka(settings, known)
    except LogInUse as error:
        return Found(True, f"{error}{_IN_USE}"), None
    except LogError as error:
        return Found(False, str(error)), None


def _embedded(settings: Settings) -> tuple[Found, LogFacts | None]:
    inspection = inspect(path_of(settings.log))
    if inspection is None:
        return Found(True, "none yet: the first start makes it"), LogFacts({}, {})
    facts = LogFacts(inspection.bounds, inspection.commits.get(GROUP, {}))
    says = f"{inspection.records} records, all of them whole"
    if inspection.torn:
        torn = ", ".join(f"{topic}/{number}" for topic, number in inspection.torn)
        says = f"{inspection.records} records; the next start cuts off a torn write of {torn}"
    return Found(True, says), facts


async def _kafka(settings: Settings, known: Decisions) -> tuple[Found, LogFacts | None]:
    log = await open_log(settings.log)
    try:
        wanted = [topic.name for topic in wanted_topics(settings, known)]
        found = {name: len(await log.partitions(name)) for name in wanted}
        if missing := [name for name, count in found.items() if not count]:
            return Found(False, f"no topic {', '.join(missing)}: run `analyticbot migrate`"), None
        if wrong := [name for name, count in found.items() if count != settings.partitions]:
            count, name = found[wrong[0]], wrong[0]
            says = f"topic {name} has {count} partitions: set ANALYTICBOT_PARTITIONS to that"
            return Found(False, says), None
        topics = [topic.name for topic in reads(known.kinds)]
        bounds = {at: each for name in topics for at, each in (await log.bounds(name)).items()}
        return Found(True, ""), LogFacts(bounds, await log.committed(GROUP))
    finally:
        await log.close()


async def examine_history(settings: Settings, log: LogFacts | None) -> Found:
    try:
        async with inspected(settings.history) as found:
            if found is None:
                behind = sum(log.committed.values()) if log else 0
                return _none(behind)
            history, damage = found
            if damage:
                return Found(False, "; ".join(damage))
            return await _compared(history, log)
    except HistoryInUse as error:
        return Found(True, f"{error}{_IN_USE}")
    except HistoryError as error:
        return Found(False, str(error))


def _none(behind: int) -> Found:
    if not behind:
        return Found(True, "none yet: the first start makes it")
    says = f"it is gone: the next start fills it from the log ({behind} messages were stored)"
    return Found(False, says)


async def _compared(history: History, log: LogFacts | None) -> Found:
    held = Held.told(await history.ask("positions", {}))
    gone = (await history.ask("removed_unread", {})).rows
    noted = sum(row["next"] - row["first"] for row in gone)
    says = f"; {noted} messages were never stored: the log had removed them" if noted else ""
    if log is None:
        return Found(True, says.removeprefix("; "))
    behind = lost = 0
    for at, committed in log.committed.items():
        start = held.start(at, committed)
        behind += committed - start
        first = log.bounds[at].first if at in log.bounds else start
        lost += max(min(first, committed) - start, 0)
    if behind:
        told = (
            f"it is {behind} messages behind what was stored; the next start fills it from the log"
        )
        gone_for_good = f", without the {lost} that the log has removed" if lost else ""
        return Found(False, f"{told}{gone_for_good}{says}")
    return Found(True, says.removeprefix("; "))


async def examine_control(settings: Settings) -> Found:
    try:
        if file := file_of(settings.control):
            return _sqlite(file)
        control = open_control(settings.control)
        try:
            await control.ping()
        finally:
            await control.close()
    except ControlError as error:
        return Found(False, str(error))
    return Found(True, "")


def _sqlite(path: Path) -> Found:
    """Checks a copy, because reading a database may write to the files beside it."""
    if not check_file(path):
        return Found(True, "none yet: the first use makes it")
    with tempfile.TemporaryDirectory(prefix="analyticbot-") as folder:
        try:
            if not _copied(path, Path(folder)):
                return Found(True, f"not checked: {path} changes too often to be copied")
            with closing(sqlite3.connect(Path(folder) / path.name)) as copy:
                [(says,), *_] = copy.execute("PRAGMA quick_check").fetchall()
        except (OSError, sqlite3.DatabaseError) as error:
            return Found(False, f"{path}: {error}: restore it from a backup")
    return Found(says == "ok", "" if says == "ok" else f"{path}: {says}: restore it from a backup")


def _copied(path: Path, folder: Path) -> bool:
    """Whether the copies of the database and its write-ahead log are consistent.

    Copies both again if one of them changed meanwhile.
    """
    sources = (path, path.with_name(f"{path.name}-wal"))
    for _ in range(_COPIES):
        before = [_stamp(source) for source in sources]
        for source in sources:
            target = folder / source.name
            target.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(source, target)
        if before == [_stamp(source) for source in sources]:
            return True
    return False


def _stamp(file: Path) -> tuple[int, int] | None:
    """A value that changes with the file; None without a file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
