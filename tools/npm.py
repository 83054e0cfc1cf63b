"""npm in dashboard/ with the node that builds the page: `python -m tools.npm ci`, then `test`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatch_build import find_npm

DASHBOARD = Path(__file__).parents[1] / "dashboard"


def main(arguments: list[str]) -> int:
    return _run(arguments).returncode


def output(arguments: list[str]) -> str:
    """What it prints, however it ends."""
    return _run(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def _run(arguments: list[str], **options: Any) -> "subprocess.CompletedProcess[Any]":
    npm, folder = find_npm()
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path}
    command = [*npm, *arguments]
    return subprocess.run(command, cwd=DASHBOARD, env=environment, check=False, **options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
