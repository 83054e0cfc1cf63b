"""A server that may open no more files than it is told: `python -m tests.attacks.scarce_child N`.

It prints its port, and ends when its input does.
"""

import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from analyticbot.logs import set_up_logs
from api.limits import Limits
from api.settings import Settings
from tests.api.reading import FixedReader
from tests.api.serving import Serving, open_log


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def serve(files: int) -> None:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        log = await open_log(Path(folder) / "log")
        settings = Settings(port=0, limits=Limits(connections=10_000))
        async with Serving(log, FixedReader(), settings) as serving:
            # What it needs itself is open now.
            await serving.get("/healthz")
            used = _open_files()
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + files, used + files))
            print(serving.server.port, flush=True)
            await loop.run_in_executor(None, sys.stdin.read)
        await log.close()


if __name__ == "__main__":
    set_up_logs("info")
    asyncio.run(serve(int(sys.argv[1])))
