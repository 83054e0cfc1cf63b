"""Starting the programs of child.py."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def child(command: str, folder: Path, *args: int) -> AsyncIterator[Process]:
    """The process with its output to be read; killed at the end where it still runs."""
    process = await create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.streams.embedded.child",
        command,
        str(folder),
        *map(str, args),
        stdout=PIPE,
        limit=1 << 20,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lines(process: Process) -> AsyncIterator[str]:
    """Its whole lines of output, until it ends."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line.endswith(b"\n"):
            yield line.decode().rstrip()
