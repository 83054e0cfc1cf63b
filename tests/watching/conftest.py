"""A system that runs as somebody starts it, and what its /metrics said."""

import re
import subprocess
import time
import urllib.request
from collections.abc import Sequence

import pytest
from websockets.sync.client import connect

from tests.analyticbot.command import COMMAND, environment
from tests.patience import PATIENCE_S
from tests.watching.scraping import samples_of

SCRAPES = 14
#: About a second, which is how often the lag is told.
FRAMES_BETWEEN = 20
#: The last of what a healthy system comes to tell; by then all else is told.
LAST = (
    ("analyticbot_end_to_end_seconds_count", {"to": "socket"}),
    ("analyticbot_table_rows", {"table": "posts"}),
)


@pytest.fixture(scope="session")
def scrapes(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """Of a demo with a client on its live socket, one after another; it has ended since."""
    folder = tmp_path_factory.mktemp("watched")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "demo", "--port", "0", "--speed", "600"],
            env=environment(folder / "data"),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        url = next(
            found[0]
            for line in process.stdout
            if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
        )
        with connect(url.replace("http", "ws", 1) + "/api/v1/live") as socket:
            return _told(url, lambda: socket.recv(timeout=PATIENCE_S))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _told(url: str, listen: object) -> Sequence[str]:
    """From the first scrape that tells everything on; each after more was shown."""
    assert callable(listen)
    deadline = time.monotonic() + PATIENCE_S
    text = ""
    while not _tells_all(text):
        assert time.monotonic() < deadline, text
        listen()
        text = _scraped(url)
    scrapes = [text]
    while len(scrapes) < SCRAPES:
        for _ in range(FRAMES_BETWEEN):
            listen()
        scrapes.append(_scraped(url))
    return scrapes


def _tells_all(text: str) -> bool:
    told = [(name, labels) for name, labels, value in samples_of(text) if value]
    return all(last in told for last in LAST)


def _scraped(url: str) -> str:
    with urllib.request.urlopen(url + "/metrics", timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())
