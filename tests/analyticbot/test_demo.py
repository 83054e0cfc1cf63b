"""`analyticbot demo` as somebody starts it: data over HTTP soon, and gone soon after Ctrl-C."""

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyticbot.demo_folder import LOCK, PREFIX
from tests.analyticbot.command import COMMAND, environment
from tests.patience import BUSY, PATIENCE_S

#: Short, because a test waits for its end.
LEASE_S = 5
#: The post takes off 48 minutes after the start: a slow machine samples it before, in 24 s.
SPEED = 120


class Demo:
    def __init__(
        self, process: "subprocess.Popen[str]", url: str, temporary: Path, log: Path
    ) -> None:
        self.process = process
        self.url = url
        #: Where it keeps temporary files.
        self.temporary = temporary
        self.log = log

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def get_when(self, path: str, ready: Callable[[Any], bool]) -> Any:
        """Ask until the answer is ready."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._try(path)
            if answer is not None and ready(answer):
                return answer
            assert time.monotonic() < deadline, f"{path} still says {answer}"

    def _try(self, path: str) -> Any:
        """None while the channel is not known yet."""
        try:
            return self.get(path)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503 and path == "/readyz":
                    return json.load(error)
                if error.code != 404:
                    raise
            return None


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    temporary = folder / "tmp"
    # Of a demo that was killed.
    left = temporary / f"{PREFIX}1-left"
    (left / "log").mkdir(parents=True)
    (left / LOCK).touch()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "demo", "--port", "0", "--speed", str(SPEED)],
            env=environment(
                folder / "data", ANALYTICBOT_LEASE_S=str(LEASE_S), TMPDIR=str(temporary)
            ),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            break
    else:
        raise AssertionError((folder / "log").read_text())
    try:
        yield Demo(process, found[0], temporary, folder / "log")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def all_live(answer: Any) -> bool:
    return [channel["status"] for channel in answer["data"]] == ["live"] * 10


def test_it_says_where_to_look_and_logs_nothing_that_nobody_asked_for(demo: Demo) -> None:
    assert demo.process.stdout is not None
    said = "".join(demo.process.stdout.readline() for _ in range(6))
    for words in (f"{demo.url}/docs", "its clock says", "what happens", "Ctrl-C ends it"):
        assert words in said
    demo.get_when("/api/v1/channels", all_live)
    assert " INFO " not in demo.log.read_text()


def test_ten_channels_are_observed(demo: Demo) -> None:
    channels = demo.get_when("/api/v1/channels", all_live)["data"]
    assert all(channel["subscribers"] > 0 for channel in channels)


def test_views_are_gained_as_the_recording_plays(demo: Demo) -> None:
    answer = demo.get_when(
        "/api/v1/channels/rbc_news/views?step=1m",
        lambda answer: any(point["views_gained"] for point in answer["data"]["points"]),
    )
    assert 0 < answer["meta"]["coverage"] <= 1
    assert answer["meta"]["sources"]


def test_a_post_takes_off_and_an_alert_says_so(demo: Demo) -> None:
    alerts = demo.get_when("/api/v1/channels/d_code/alerts", lambda answer: answer["data"])["data"]
    assert {alert["type"] for alert in alerts} == {"spike"}
    assert all(alert["observed"] > 4 * alert["expected"] for alert in alerts)


def test_a_channel_is_found_in_every_spelling(demo: Demo) -> None:
    channel = demo.get_when("/api/v1/channels/@rbc_news", lambda answer: True)["data"]
    for spelling in ("rbc_news", str(channel["id"]), f"-100{channel['id']}"):
        assert demo.get(f"/api/v1/channels/{spelling}")["data"]["id"] == channel["id"]


def test_it_says_what_is_measured_and_what_is_modelled(demo: Demo) -> None:
    about = demo.get("/api/v1/about")["data"]
    assert about["mode"] == "demo"
    assert about["speed"] == SPEED
    assert "modelled" in about["modelled"]
    assert about["credits"]


def test_nothing_is_dropped(demo: Demo) -> None:
    with urllib.request.urlopen(demo.url + "/metrics", timeout=PATIENCE_S) as answer:
        text = answer.read().decode()
    assert 'analyticbot_received_total{stage="updates"}' in text
    dead = [line for line in text.splitlines() if 'reason="future_date"' in line]
    assert not dead


def test_its_folder_is_its_own_and_that_of_a_killed_demo_is_gone(demo: Demo) -> None:
    [folder] = demo.temporary.iterdir()
    assert folder.name.startswith(f"{PREFIX}{demo.process.pid}-")


def test_it_goes_on_after_a_pause_longer_than_its_leases(demo: Demo) -> None:
    def sampled(answer: Any) -> list[str]:
        return [channel["last_sample_at"] or "" for channel in answer["data"]]

    before = max(sampled(demo.get_when("/api/v1/channels", all_live)))
    demo.process.send_signal(signal.SIGSTOP)
    # There is nothing to wait for but that the leases have ended.
    time.sleep(LEASE_S + 1)
    demo.process.send_signal(signal.SIGCONT)
    demo.get_when("/readyz", lambda answer: "observes 10" in answer["parts"]["accounts"])
    demo.get_when("/readyz", lambda answer: answer["parts"]["bot"] == "answers")
    demo.get_when("/api/v1/channels", lambda answer: min(sampled(answer)) > before)
    assert demo.process.poll() is None


def test_ctrl_c_ends_it_within_5_seconds_also_where_it_stood_still(demo: Demo) -> None:
    """Last: it ends the demo of this module."""
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGCONT):
        demo.process.send_signal(number)
    started = time.monotonic()
    assert demo.process.wait(timeout=PATIENCE_S) == 0
    took_s = time.monotonic() - started
    with pytest.raises(urllib.error.URLError):
        demo.get("/healthz")
    assert took_s < 5 * BUSY
    assert list(demo.temporary.iterdir()) == []
