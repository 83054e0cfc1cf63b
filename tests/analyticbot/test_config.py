"""Configuration: where values come from, and what is refused."""

from pathlib import Path

import pytest

from agents.engine.dead import DeadLimit
from analyticbot.config import OPTIONS, ConfigError, read_settings
from analyticbot.roles.work import worker_settings


def test_defaults_live_under_the_data_folder(tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_DATA": str(tmp_path)}, tmp_path)
    assert settings.log == f"embedded://{tmp_path}/log"
    assert settings.history == f"chdb://{tmp_path}/history"
    assert settings.control == f"sqlite:///{tmp_path}/control.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.bot_token is None


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "analyticbot.toml").write_text('port = 8100\nhost = "localhost"\n')
    settings = read_settings({"ANALYTICBOT_PORT": "8200"}, tmp_path)
    assert (settings.port, settings.host) == (8200, "localhost")


def test_a_secret_can_stay_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123:abc\n")
    settings = read_settings({"BOT_TOKEN_FILE": str(tmp_path / "token")}, tmp_path)
    assert settings.bot_token == "123:abc"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANALYTICBOT_PORT", "eighty"),
        ("ANALYTICBOT_PORT", "70000"),
        ("ANALYTICBOT_LOG", "/var/log"),
        ("ANALYTICBOT_LOG", "embedded://"),
        ("ANALYTICBOT_LOG", "redis://localhost"),
        ("ANALYTICBOT_LOG", "kafka://h:1?security=ssl"),
        ("ANALYTICBOT_INSTANCE", "worker 1"),
        ("ANALYTICBOT_HISTORY", "mysql://localhost"),
        ("ANALYTICBOT_CONTROL", "sqlite:"),
        ("ANALYTICBOT_HOST", "0.0.0.0"),
        ("ANALYTICBOT_PARTITIONS", "0"),
        ("ANALYTICBOT_LOG_LEVEL", "loud"),
        ("ANALYTICBOT_LOG_FORMAT", "xml"),
        ("ANALYTICBOT_TRACES", "collector:4318"),
        ("ANALYTICBOT_TRACE_SHARE", "2"),
        ("ANALYTICBOT_TRACE_SHARE", "half"),
        ("ANALYTICBOT_DEAD_SHARE", "50%"),
        ("TELEGRAM_API_ID", "abc"),
        ("ANALYTICBOT_SECRET_KEY", "correct horse battery staple"),
        ("BOT_TOKEN_FILE", "/nowhere/at/all"),
        ("ANALYTICBOT_BOT_CHATS", "me, you"),
        ("ANALYTICBOT_API_KEY", "short"),
        ("ANALYTICBOT_API_KEY", " " * 20),
        ("ANALYTICBOT_API_KEY", "ключ от всех дверей"),
        ("ANALYTICBOT_TRUSTED_PROXIES", "nginx"),
        ("ANALYTICBOT_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("ANALYTICBOT_TRUSTED_PROXIES", "10.0.0.1,,"),
        ("ANALYTICBOT_CONNECTIONS", "0"),
    ],
)
def test_a_wrong_value_names_its_option(variable: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^{variable}: ") as raised:
        read_settings({variable: value}, tmp_path)
    assert "\n" not in str(raised.value)


def test_the_bots_chats_are_a_list_of_ids(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path).bot_chats is None
    settings = read_settings({"ANALYTICBOT_BOT_CHATS": "12,-100567"}, tmp_path)
    assert settings.bot_chats == {12, -100567}


def test_trusted_proxies_are_addresses_and_networks(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path).trusted_proxies == ()
    chosen = {"ANALYTICBOT_TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16,2001:db8::/32"}
    settings = read_settings(chosen, tmp_path)
    assert settings.trusted_proxies == ("127.0.0.1", "10.1.0.0/16", "2001:db8::/32")


def test_a_secret_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    secrets = [option.variable for option in OPTIONS if option.secret]
    assert set(secrets) == {
        "BOT_TOKEN",
        "TELEGRAM_API_HASH",
        "ANALYTICBOT_API_KEY",
        "ANALYTICBOT_LOG_PASSWORD",
        "ANALYTICBOT_SECRET_KEY",
    }
    with pytest.raises(ConfigError) as raised:
        read_settings({"ANALYTICBOT_LOG": "kafka://u:hidden@h:1?x=1"}, tmp_path)
    assert "hidden" not in str(raised.value)


def test_the_password_of_the_log_is_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss\n")
    given = {
        "ANALYTICBOT_LOG": "kafka://me@h:1?security=tls",
        "ANALYTICBOT_LOG_PASSWORD_FILE": str(tmp_path / "password"),
    }
    assert read_settings(given, tmp_path).log == "kafka://me:p%40ss@h:1?security=tls"
    with pytest.raises(ConfigError, match=r"^ANALYTICBOT_LOG_PASSWORD: .* needs one"):
        read_settings({"ANALYTICBOT_LOG": "kafka://me@h:1"}, tmp_path)
    with pytest.raises(ConfigError, match=r"^ANALYTICBOT_LOG_PASSWORD: .* needs its user"):
        read_settings({**given, "ANALYTICBOT_LOG": "kafka://h:1"}, tmp_path)


def test_a_share_of_dead_letters_reaches_the_worker(tmp_path: Path) -> None:
    settings = read_settings({"ANALYTICBOT_DEAD_SHARE": "1"}, tmp_path)
    assert worker_settings(settings, 4).dead_limit == DeadLimit(share=1)


def test_logs_and_traces(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert (settings.log_format, settings.traces, settings.trace_share) == ("text", None, 0.1)
    given = {
        "ANALYTICBOT_LOG_FORMAT": "JSON",
        "ANALYTICBOT_TRACES": "http://127.0.0.1:4318/v1/traces",
        "ANALYTICBOT_TRACE_SHARE": "0.5",
    }
    settings = read_settings(given, tmp_path)
    assert (settings.log_format, settings.trace_share) == ("json", 0.5)
    assert settings.traces == given["ANALYTICBOT_TRACES"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = ", "Invalid value"),
        ('prot = "8000"', "unknown key prot; did you mean port?"),
        ("x = 1", "unknown key x; known are api_key, "),
    ],
)
def test_a_broken_file_is_named(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "analyticbot.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"analyticbot\.toml: ") as raised:
        read_settings({}, tmp_path)
    assert says in str(raised.value)


def test_a_variable_that_is_no_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^ANALYTICBOT_PROT .*did you mean ANALYTICBOT_PORT\?$"):
        read_settings({"ANALYTICBOT_PROT": "8000"}, tmp_path)
    others = {
        "HOME": "/",
        "ANALYTICBOT_REQUIRE_KAFKA": "1",
        "ANALYTICBOT_SERVICE_HOST": "10.0.0.1",
        "ANALYTICBOT_SERVE_PORT_80_TCP_ADDR": "10.0.0.1",
        "ANALYTICBOT_SERVICE_PORT_HTTP": "80",
    }
    read_settings(others, tmp_path)


def test_flags_win_and_are_named_and_defaults_lose(tmp_path: Path) -> None:
    flags = {"ANALYTICBOT_PORT": ("--port", "1")}
    given = {"ANALYTICBOT_PORT": "2", "ANALYTICBOT_HOST": "::1"}
    defaults = {"ANALYTICBOT_HOST": "localhost", "ANALYTICBOT_LOG_LEVEL": "warning"}
    settings = read_settings(given, tmp_path, flags, defaults)
    assert (settings.port, settings.host, settings.log_level) == (1, "::1", "warning")
    with pytest.raises(ConfigError, match=r"^--port: '70000' is invalid"):
        read_settings({}, tmp_path, {"ANALYTICBOT_PORT": ("--port", "70000")})
