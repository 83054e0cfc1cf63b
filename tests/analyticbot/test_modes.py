"""What is kept is its user's alone, whatever the umask; what was open before is closed."""

from pathlib import Path

import pytest

from analyticbot import modes
from analyticbot.config import read_settings
from tests.analyticbot.command import run
from tests.analyticbot.private import open_to_others


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "recording"
    folder.mkdir()
    (folder / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    return folder


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_all_that_is_kept_is_its_user_s_alone(umask: int, recording: Path, tmp_path: Path) -> None:
    data = tmp_path / "a" / "data"
    for arguments in (["follow", "durov"], ["replay", str(recording)]):
        ended = run(data, *arguments, umask=umask)
        assert (ended.returncode, ended.stderr) == (0, "")
    assert {path.name for path in data.iterdir()} >= {"control.db", "log", "history"}
    assert open_to_others(data) == []


def test_what_an_earlier_version_left_open_is_closed_and_said_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(data, "follow", "durov").returncode == 0
    (data / "tables" / "deep").mkdir(parents=True)
    (data / "telegram.session").write_text("")
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    looked = run(data, "doctor", ANALYTICBOT_PORT="0")
    assert "are open to other users, such as " in looked.stdout
    assert open_to_others(data)
    first, second = (run(data, "unfollow", "nobody") for _ in range(2))
    assert "modes_corrected" in first.stderr
    assert "modes_corrected" not in second.stderr
    assert open_to_others(data) == []


def test_a_folder_that_others_use_too_stays_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "home"
    data.mkdir()
    (data / "page.html").write_text("for everybody")
    (data / "page.html").chmod(0o644)
    data.chmod(0o755)
    assert run(data, "follow", "durov", umask=0).returncode == 0
    assert data.stat().st_mode & 0o777 == 0o755
    assert (data / "page.html").stat().st_mode & 0o777 == 0o644
    assert (data / "control.db").stat().st_mode & 0o777 == 0o600


def test_a_link_to_another_place_is_not_followed(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    data.mkdir()
    other.write_text("another's")
    other.chmod(0o644)
    (data / "tables").mkdir()
    (data / "tables" / "link").symlink_to(other)
    assert run(data, "follow", "durov").returncode == 0
    assert other.stat().st_mode & 0o777 == 0o644


def test_what_is_in_a_folder_that_is_closed_to_others_is_not_looked_at(tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_DATA": str(tmp_path)})
    tables = tmp_path / "tables"
    (tables / "deep").mkdir(parents=True)
    (tables / "deep" / "file").write_text("")
    for path, mode in ((tables / "deep" / "file", 0o644), (tables / "deep", 0o755)):
        path.chmod(mode)
    tables.chmod(0o700)
    tmp_path.chmod(0o700)
    assert list(modes.open_to_others(settings)) == []
    tables.chmod(0o711)
    opened = [tables / "deep" / "file", tables / "deep", tables]
    assert list(modes.open_to_others(settings)) == opened
