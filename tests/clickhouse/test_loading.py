"""What the engine's library brings into a process (clickhouse/chdb_loading.py)."""

import subprocess
import sys
from pathlib import Path

_OPENED = """
import asyncio, sys
from clickhouse.history import Insert
from clickhouse.opening import open_history

async def main():
    history = await open_history(f"chdb://{sys.argv[1]}/history")
    assert await history.migrate()
    columns = {"channel_id": [1], "post_id": [2], "source": ["test"], "observed_at": [0]}
    await history.insert(Insert("post_deletions", "token", columns))
    await history.close()

asyncio.run(main())
assert not {"numpy", "pandas", "pyarrow"} & set(sys.modules), "more than the engine was loaded"
import pandas
"""


def test_history_needs_none_of_the_libraries_for_tables(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _OPENED, str(tmp_path)], check=True)
