"""Start-up and memory of the demo: `python -m bench.soak [--seconds 600] [--speed 600]`.

Bias and setup: `analyticbot demo` as a process of its own, installed already, with the loopback
Telegram and the world it plays in the same process, so it holds more than a real installation's.
Resident memory is read from the kernel every few seconds; `start_s` is from the start of the
command to the first channel in the API's answer. Nobody has the page open but for that answer.
Resident memory counts the pages of mapped libraries, which the kernel may drop; what it may not
(`anonymous`) is told beside it.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

COMMAND = Path(sys.executable).with_name("analyticbot")
EVERY_S = 5.0


def measure(seconds: float, speed: float) -> dict[str, object]:
    """Seconds to the first data, and the curve of memory in MiB, by second."""
    # Where this is set and the code is not compiled, every start compiles all of it again.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    with subprocess.Popen(
        [COMMAND, "demo", "--port", "0", "--speed", str(speed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        text = "".join(process.stdout.readline() for _ in range(5))
        url = re.findall(r"http://127\.0\.0\.1:\d+", text)[0]
        while not _channels(url):
            time.sleep(0.02)
        start_s = time.monotonic() - started
        curve = []
        anonymous = 0
        while (at_s := time.monotonic() - started) < seconds and process.poll() is None:
            curve.append((round(at_s), memory_mib(process.pid, "VmRSS")))
            anonymous = memory_mib(process.pid, "RssAnon")
            time.sleep(EVERY_S)
        process.send_signal(signal.SIGINT)
        stopping = time.monotonic()
        process.wait()
        stop_s = time.monotonic() - stopping
    late = [memory for at_s, memory in curve if at_s > seconds / 2]
    return {
        "start_s": round(start_s, 1),
        "stop_s": round(stop_s, 1),
        "memory_high_mib": max(memory for _, memory in curve),
        "memory_end_mib": curve[-1][1],
        "memory_end_anonymous_mib": anonymous,
        "growth_second_half_mib": late[-1] - late[0] if late else 0,
        "curve": curve,
    }


def draw(curve: list[list[float]], path: Path) -> None:
    """The curve as a picture: MiB over minutes."""
    width, height, top = 640, 200, max(memory for _, memory in curve) * 1.1
    last = curve[-1][0] or 1
    points = " ".join(
        f"{40 + at_s / last * (width - 50):.1f},{height - 20 - memory / top * (height - 30):.1f}"
        for at_s, memory in curve
    )
    labels = (
        f'<text x="2" y="14">{top:.0f} MiB</text><text x="2" y="{height - 18}">0</text>'
        f'<text x="{width - 60}" y="{height - 4}">{last / 60:.0f} min</text>'
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" fill="#666">{labels}'
        f'<polyline points="{points}" fill="none" stroke="#2563c9" stroke-width="2"/></svg>\n'
    )


def _channels(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/channels", timeout=10) as answer:
            return bool(json.load(answer)["data"])
    except urllib.error.URLError:
        return False


def memory_mib(pid: int, kind: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(rf"{kind}:\s+(\d+)", status)[0]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--speed", type=float, default=600)
    chosen = parser.parse_args()
    sys.stdout.write(json.dumps(measure(chosen.seconds, chosen.speed)) + "\n")


if __name__ == "__main__":
    main()
