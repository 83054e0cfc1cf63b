"""JSON that people depend on, compared with what is committed.

Regenerate after a change that is meant, and review the diff:
    ANALYTICBOT_GOLDEN=write make test ARGS=tests/api
"""

import json
import os
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "golden"


def check(name: str, value: Any) -> None:
    path = _FOLDER / f"{name}.json"
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("ANALYTICBOT_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == value, f"{path} holds another shape"
