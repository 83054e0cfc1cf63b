"""The commands as a person runs them: exit codes, and one clear line for what is wrong."""

import socket
from pathlib import Path

import pytest

from analyticbot.cli import COMMANDS, main
from tests.analyticbot.command import run

LISTENING = {"demo", "up", "collect", "work", "serve", "bot"}

CREDENTIALS = {"TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "a"}
#: Nothing listens there; wrong use is told before anything is connected to.
KAFKA = {"ANALYTICBOT_LOG": "kafka://127.0.0.1:1"}
POSTGRES = {"ANALYTICBOT_CONTROL": "postgresql://127.0.0.1:1/control"}


@pytest.mark.parametrize(
    ("arguments", "variables", "line"),
    [
        (["topology"], {"ANALYTICBOT_LOG": "nonsense"}, "ANALYTICBOT_LOG: 'nonsense' is invalid"),
        (["up"], {"ANALYTICBOT_HISTORY": "http://x"}, "ANALYTICBOT_HISTORY: 'http://x' is invalid"),
        (["up"], {"ANALYTICBOT_PORT": "-1"}, "ANALYTICBOT_PORT: '-1' is invalid"),
        (["up", "--port", "99999"], {}, "--port: '99999' is invalid: use a number from 0"),
        (["demo", "--port", "-1"], {}, "--port: '-1' is invalid: use a number from 0"),
        (["serve", "--port=abc"], {}, "--port: 'abc' is invalid: use a number from 0"),
        (["collect", "--port", "²"], {}, "--port: '²' is invalid: use a number from 0"),
        (["work", "--host", "0.0.0.0"], {}, "ANALYTICBOT_HOST: 0.0.0.0 is reachable from outside"),
        (["demo", "--host", "0.0.0.0"], {}, "ANALYTICBOT_HOST: 0.0.0.0 is reachable from outside"),
        (["demo", "--speed", "abc"], {}, "argument --speed: 'abc' is invalid: use a number"),
        (["demo", "--speed", "0"], {}, "argument --speed: '0' is invalid: use a number"),
        (["demo", "--speed", "nan"], {}, "argument --speed: 'nan' is invalid: use a number"),
        (["demo", "--speed", "1e9"], {}, "argument --speed: '1e9' is invalid: use a number"),
        (["demo", "--exit-after", "x"], {}, "argument --exit-after: 'x' is invalid: use"),
        (["demo", "--exit-after", "inf"], {}, "argument --exit-after: 'inf' is invalid"),
        (["replay", "x", "--speed", "-2"], {}, "argument --speed: '-2' is invalid: use a"),
        (
            ["topology"],
            {"ANALYTICBOT_PROT": "1"},
            "ANALYTICBOT_PROT is unknown; did you",
        ),
        (
            ["topology"],
            {"ANALYTICBOT_API_KEY_FIEL": "x"},
            "ANALYTICBOT_API_KEY_FIEL is unknown; did",
        ),
        (["topology"], {"ANALYTICBOT_X": "1"}, "ANALYTICBOT_X is unknown; see docs/CONFIGURATION"),
        (["follow", "t.me/+AbCd"], {}, "'t.me/+AbCd' is an invitation"),
        (
            ["up"],
            {**CREDENTIALS, "ANALYTICBOT_CONTROL": "postgresql://h/d"},
            "ANALYTICBOT_SECRET_KEY",
        ),
        (["login"], {**CREDENTIALS, **KAFKA}, "ANALYTICBOT_SECRET_KEY: not set; every host"),
        ([], {}, "the following arguments are required: COMMAND"),
        (["nonsense"], {}, "argument COMMAND: invalid choice: 'nonsense'"),
        (["replay"], {}, "the following arguments are required: DIR"),
        (["up"], {}, "TELEGRAM_API_ID and TELEGRAM_API_HASH: not set"),
        (["up"], {"TELEGRAM_API_ID": "5"}, "TELEGRAM_API_HASH: not set"),
        (["follow", "a b"], {}, "'a b' is not a channel"),
        (["collect"], CREDENTIALS, "ANALYTICBOT_LOG: embedded://"),
        (["work"], {}, "ANALYTICBOT_LOG: embedded://"),
        (["bot"], {"BOT_TOKEN": "1:a"}, "ANALYTICBOT_LOG: embedded://"),
        (["collect"], {**CREDENTIALS, **KAFKA}, "ANALYTICBOT_SECRET_KEY: not set; every host"),
        (["collect"], KAFKA, "TELEGRAM_API_ID and TELEGRAM_API_HASH: not set"),
        (["bot"], KAFKA, "BOT_TOKEN: not set"),
        (["up"], {**CREDENTIALS, "ANALYTICBOT_LEASE_S": "1"}, "ANALYTICBOT_LEASE_S: '1' is"),
        (["work"], {**KAFKA, "ANALYTICBOT_TABLES_MIB": "1"}, "ANALYTICBOT_TABLES_MIB: '1' is"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_use_ends_with_one_line_and_code_2(
    arguments: list[str], variables: dict[str, str], line: str, tmp_path: Path
) -> None:
    ended = run(tmp_path / "data", *arguments, **variables)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"analyticbot: {line}")
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for ended in (
            run(tmp_path / "data", "up", ANALYTICBOT_PORT=port, **CREDENTIALS),
            run(tmp_path / "data", "demo", "--port", port),
        ):
            assert ended.returncode == 2
            assert ended.stderr.startswith(f"analyticbot: ANALYTICBOT_PORT: {port} is in use")
            assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "data" / "log").exists()


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    ended = run(tmp_path / "file" / "data", "replay", str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr.startswith("analyticbot: ANALYTICBOT_DATA: ")
    assert ended.stderr.count("\n") == 1


def test_up_without_a_login_says_how_to_log_in(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "up", ANALYTICBOT_PORT="0", **CREDENTIALS)
    assert ended.returncode == 1
    assert "analyticbot login" in ended.stderr


def test_a_role_that_needs_a_cluster_says_what_to_run_instead(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "collect", **CREDENTIALS)
    assert "run `analyticbot up`, or set kafka://" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_role_without_its_broker_says_so(tmp_path: Path) -> None:
    ended = run(tmp_path / "data", "serve", ANALYTICBOT_PORT="0", **KAFKA)
    assert ended.returncode == 1
    assert "127.0.0.1:1" in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("analyticbot: ")


def test_an_empty_recording_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    ended = run(tmp_path / "data", "replay", str(tmp_path / "recording"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("analyticbot: ")
    assert ended.stderr.count("\n") == 1


def test_broken_lines_are_told_with_file_and_number_and_the_rest_is_taken(tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    recording.mkdir()
    (recording / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
        "{broken\n"
        '{"channel": "somebody", "message_id": 2, "date": "2025-01-01T00:01:00Z", "text": "b"}\n'
        '{"channel": "somebody", "message_id": "x", "date": "2025-01-01T00:01:00Z"}\n'
    )
    ended = run(tmp_path / "data", "replay", str(recording))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("2 posts, ")
    assert "posts.jsonl: 4 rows read, 2 taken, 2 refused\n" in ended.stdout
    for line in (2, 4):
        assert f"posts.jsonl:{line}:" in ended.stdout


def test_a_finished_recording_replayed_again_writes_nothing_and_ends(tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    recording.mkdir()
    (recording / "posts.jsonl").write_text(
        '{"channel": "somebody", "message_id": 1, "date": "2025-01-01T00:00:00Z", "text": "a"}\n'
    )
    first, second = (run(tmp_path / "data", "replay", str(recording)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "nothing was written" not in first.stdout
    assert "nothing was written" in second.stdout


def test_topology_prints_the_pipeline(tmp_path: Path) -> None:
    printed = run(tmp_path / "data", "topology").stdout
    for word in ("telegram.updates", "analytics.windows", "analytics.alerts", "history"):
        assert word in printed


def test_doctor_prints_what_is_in_force_and_no_secret(tmp_path: Path) -> None:
    ended = run(
        tmp_path / "data", "doctor", ANALYTICBOT_PORT="0", BOT_TOKEN="123:secret", **CREDENTIALS
    )
    assert ended.returncode == 0, ended.stdout
    assert "secret" not in ended.stdout + ended.stderr
    assert str(tmp_path / "data" / "log") in ended.stdout
    assert ended.stdout.count("✓") == 7


def test_migrate_can_be_run_again(tmp_path: Path) -> None:
    first, second = (run(tmp_path / "data", "migrate") for _ in range(2))
    assert first.stdout.startswith("applied ")
    assert second.stdout == "up to date\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_reads_well(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    description = said.partition("\n\n")[2].partition("\n\n")[0]
    assert (
        description.replace("\n", " ") == COMMANDS[command][0].upper() + COMMANDS[command][1:] + "."
    )
    assert ("--host ADDRESS" in said) == (command in LISTENING)
    assert ("--port N" in said) == (command in LISTENING)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_an_option_of_the_command_line_wins(command: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run(tmp_path / "data", command, "--port", port, ANALYTICBOT_PORT="0")
    assert ended.returncode == 2
    assert f"{port} is in use on 127.0.0.1" in ended.stderr
