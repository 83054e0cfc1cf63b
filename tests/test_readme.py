"""The README's commands, run as they stand there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.analyticbot.command import environment

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip() and not line.startswith("#")
]
#: What cannot be run as it stands: it needs an account, or it is this very run.
ELSEWHERE = {
    "make test": "make --dry-run test",
    "make demo": "make --dry-run demo",
    ".venv/bin/analyticbot login": ".venv/bin/analyticbot login --help",
    ".venv/bin/analyticbot up": ".venv/bin/analyticbot up --help",
}


def test_the_readme_has_commands() -> None:
    assert "make demo" in COMMANDS
    assert "make test" in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(command: str, tmp_path: Path) -> None:
    recording = tmp_path / "my-recording"
    shutil.copytree(ROOT / "loopback/recording", recording)
    (recording / "posts.jsonl.zst").unlink()
    (recording / "view_samples.jsonl.zst").unlink()
    (recording / "subscriber_samples.jsonl").write_text(
        '{"channel": "rbc_news", "sampled_at": "2025-01-01T00:00:00Z", "subscribers": 5}\n'
    )
    run = ELSEWHERE.get(command, command).replace("my-recording", str(recording))
    variables = {"ANALYTICBOT_PORT": "0", "TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "a"}
    ended = subprocess.run(
        run,
        shell=True,
        cwd=ROOT,
        env=environment(tmp_path / "data", **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target
