"""A part of a core that a process gets at most: a control group of Linux (v1 or v2), made as root.

NoQuota    this machine, or this user, cannot make one
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
#: Short, so that a process that has used up its part does not pause for longer than a commit takes.
PERIOD_US = 10_000


class NoQuota(Exception):
    pass


@contextmanager
def quota(pid: int, cores: float) -> Iterator[None]:
    """Within the block the process has at most `cores`; it may be gone at its end.

    Raises NoQuota.
    """
    group = _made(f"analyticbot-bench-{pid}")
    try:
        _limit(group, round(cores * PERIOD_US))
        _move(pid, group)
        yield
    finally:
        with suppress(ProcessLookupError):
            _move(pid, group.parent)
        group.rmdir()


def _made(name: str) -> Path:
    parent = ROOT if _is_unified() else ROOT / "cpu"
    try:
        (parent / name).mkdir()
    except OSError as error:
        raise NoQuota(f"no control group can be made: {error}") from error
    return parent / name


def _limit(group: Path, quota_us: int) -> None:
    if _is_unified():
        limits = {"cpu.max": f"{quota_us} {PERIOD_US}"}
    else:
        limits = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota_us)}
    try:
        for name, limit in limits.items():
            (group / name).write_text(limit)
    except OSError as error:
        raise NoQuota(f"control groups do not limit processors here: {error}") from error


def _move(pid: int, group: Path) -> None:
    """Raises ProcessLookupError where it is gone."""
    (group / "cgroup.procs").write_text(str(pid))


def _is_unified() -> bool:
    return (ROOT / "cgroup.controllers").exists()
