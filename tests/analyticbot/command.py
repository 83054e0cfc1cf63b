"""The real command in a process of its own, with a data folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("analyticbot"))


def environment(data: Path, **variables: str) -> dict[str, str]:
    """The machine's environment without what an operator may have set, and with `variables`."""
    ours = ("ANALYTICBOT_", "TELEGRAM_", "BOT_TOKEN")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "ANALYTICBOT_DATA": str(data), **variables}


def run(
    data: Path, *arguments: str, timeout_s: float = 120, umask: int = -1, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end. `umask` -1: that of the tests."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(data, **variables),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=timeout_s,
        umask=umask,
        check=False,
    )
