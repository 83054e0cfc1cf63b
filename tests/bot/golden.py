"""Texts that people read, compared with what is committed.

Regenerate after a change that is meant, and review the diff:
    ANALYTICBOT_GOLDEN=write make test ARGS=tests/bot
"""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    path = _FOLDER / f"{name}.html"
    if os.environ.get("ANALYTICBOT_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == f"{text}\n"
