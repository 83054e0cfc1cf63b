"""npm in dashboard/ with the node that builds the page: `python -m tools.npm ci`, then `test`."""

import os
import subprocess
import sys
from pathlib import Path

from hatch_build import find_npm

DASHBOARD = Path(__file__).parents[1] / "dashboard"


def main(arguments: list[str]) -> int:
    npm, folder = find_npm()
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        [*npm, *arguments], cwd=DASHBOARD, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
