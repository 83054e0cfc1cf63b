"""Files that are written by programs: write them, or (`--check`) fail when one is not fresh."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from agents.pipeline import plan
from api import typescript
from tools import configuration_page, metrics_page
from tools.grafana import boards

ROOT = Path(__file__).parent.parent

#: Path below the repository's root, and what it must hold.
GENERATED: dict[str, Callable[[], str]] = {
    **typescript.files(plan().kinds),
    "docs/CONFIGURATION.md": configuration_page.page,
    "docs/METRICS.md": metrics_page.page,
    **{name: partial(boards.files().__getitem__, name) for name in boards.files()},
}


def main(arguments: Sequence[str]) -> int:
    stale = [name for name, content in GENERATED.items() if _read(name) != content()]
    if "--check" in arguments:
        for name in stale:
            print(f"{name} is not fresh: run `make generated` and commit it")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(GENERATED[name]())
        print(f"wrote {name}")
    return 0


def _read(name: str) -> str | None:
    path = ROOT / name
    return path.read_text() if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
