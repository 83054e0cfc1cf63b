"""Configuration: the only reader of the environment and of analyticbot.toml.

The first of these sets a value: the environment, a file named by the environment (``NAME_FILE``,
for secrets), analyticbot.toml in the working folder, the default. All options are validated here,
before the first connection.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from analyticbot import accepted
from analyticbot.logs import Form
from analyticbot.naming import unknown_key, unknown_variable
from streams.kafka.settings import OPTIONS as KAFKA_OPTIONS
from streams.kafka.settings import SCHEME as KAFKA
from streams.kafka.settings import WrongKafkaUrl, settings_of, with_password

CONFIG_FILE = "analyticbot.toml"


class ConfigError(Exception):
    """An invalid value. The message is one line: the option, what is wrong, what is accepted."""


class Settings(msgspec.Struct, frozen=True):
    """The operator's options. `doctor` prints URLs without their secrets."""

    data: Path
    log: str
    log_password: str | None
    history: str
    control: str
    host: str
    port: int
    instance: str | None
    partitions: int
    log_days: int
    log_mib: int
    public_url: str
    api_key: str | None
    telegram_api_id: int | None
    telegram_api_hash: str | None
    bot_token: str | None
    bot_chats: frozenset[int] | None
    secret_key: str | None
    log_level: str
    log_format: Form = "text"
    traces: str | None = None
    trace_share: float = 0.1
    trusted_proxies: tuple[str, ...] = ()
    connections: int = 4096
    lease_s: int = 10
    standbys: int = 1
    tables_mib: int = 80
    dead_share: float = 0.5
    without: tuple[str, ...] = ()


class Option(msgspec.Struct, frozen=True):
    """One option: its field in Settings, its name in the environment, default and meaning."""

    field: str
    variable: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    secret: bool = False


OPTIONS: tuple[Option, ...] = (
    Option("data", "ANALYTICBOT_DATA", "~/.local/share/analyticbot",
           "The folder of all embedded state: log, history, control.", Path),
    Option("log", "ANALYTICBOT_LOG", "",
           "The log: `embedded:///path`, or Kafka: "
           "`kafka://[user@]host:port[,host:port…][?security=tls&…]` "
           "(empty: the folder `log` under ANALYTICBOT_DATA). Options of the second are "
           + ", ".join(f"`{name}`" for name in KAFKA_OPTIONS) + ".", accepted.log_url),
    Option("log_password", "ANALYTICBOT_LOG_PASSWORD", "",
           "The password of the user in ANALYTICBOT_LOG.", accepted.text, secret=True),
    Option("history", "ANALYTICBOT_HISTORY", "",
           "History: `chdb:///path`, or a server: `clickhouse://user:password@host:8123/name` "
           "(empty: the folder `history` under ANALYTICBOT_DATA).",
           accepted.history_url),
    Option("control", "ANALYTICBOT_CONTROL", "",
           "The control store: `sqlite:///path` or `postgresql://…` "
           "(empty: the file `control.db` under ANALYTICBOT_DATA).",
           accepted.url("sqlite", "postgresql")),
    Option("host", "ANALYTICBOT_HOST", "127.0.0.1",
           "The address to listen on; any other than loopback needs ANALYTICBOT_API_KEY.",
           accepted.text),
    Option("port", "ANALYTICBOT_PORT", "8000", "The port to listen on; 0 takes a free one.",
           accepted.port),
    Option("instance", "ANALYTICBOT_INSTANCE", "",
           "The name of this worker in a cluster, different for each: with it, a restart within "
           "the session timeout reassigns nothing (empty: every start is a new member).",
           accepted.instance),
    Option("partitions", "ANALYTICBOT_PARTITIONS", "4",
           "Partitions of every new topic; existing topics keep theirs, and on Kafka must have as "
           "many.", accepted.positive),
    Option("standbys", "ANALYTICBOT_STANDBYS", "1",
           "Hot standby replicas of each task's tables, for fast failover.",
           accepted.natural),
    Option("tables_mib", "ANALYTICBOT_TABLES_MIB", "80",
           "At most so many MiB of memory for the tables of a worker on Kafka.",
           accepted.tables_mib),
    Option("dead_share", "ANALYTICBOT_DEAD_SHARE", "0.5",
           "A worker stops when it cannot read more than this share of the last messages, from 0 "
           "to 1 (1: never; all of them become dead letters).", accepted.share),
    Option("without", "ANALYTICBOT_WITHOUT", "",
           "Decisions of installed packages to leave out, as names separated by commas.",
           accepted.names),
    Option("lease_s", "ANALYTICBOT_LEASE_S", "10",
           "Seconds until another process takes over the exclusive work of a dead one: a Telegram "
           "account, the bot. A process that cannot reach the control store for two thirds of it "
           "gives up its leases.", accepted.lease_s),
    Option("log_days", "ANALYTICBOT_LOG_DAYS", "7",
           "Days for which the log keeps records.", accepted.positive),
    Option("log_mib", "ANALYTICBOT_LOG_MIB", "512",
           "MiB that the log keeps at most, per partition of a topic.", accepted.positive),
    Option("public_url", "ANALYTICBOT_PUBLIC_URL", "",
           "The address of the page, for links in bot messages (empty: the listening address).",
           accepted.url("http", "https")),
    Option("api_key", "ANALYTICBOT_API_KEY", "",
           "The key that every request must send: at least 16 ASCII characters, such as `openssl "
           "rand -hex 24` prints (empty: no key, on loopback only).",
           accepted.api_key, secret=True),
    Option("secret_key", "ANALYTICBOT_SECRET_KEY", "",
           "The key that seals Telegram sessions at rest: 64 hexadecimal digits, as "
           "`openssl rand -hex 32` prints them. Required in a cluster, the same on all hosts "
           "(empty: the file `secret.key` under ANALYTICBOT_DATA, made at the first login).",
           accepted.secret_key, secret=True),
    Option("trusted_proxies", "ANALYTICBOT_TRUSTED_PROXIES", "",
           "The reverse proxies in front, as addresses or networks separated by commas: their "
           "`X-Forwarded-For` and `X-Forwarded-Proto` are believed (empty: nobody's are).",
           accepted.proxies),
    Option("connections", "ANALYTICBOT_CONNECTIONS", "4096",
           "Connections that may be open at the same time, a quarter of them from one address; "
           "fewer if the limit of open files is lower.", accepted.positive),
    Option("telegram_api_id", "TELEGRAM_API_ID", "",
           "Your application's id, from https://my.telegram.org.", accepted.positive),
    Option("telegram_api_hash", "TELEGRAM_API_HASH", "",
           "Your application's hash, from the same page.", accepted.text, secret=True),
    Option("bot_token", "BOT_TOKEN", "",
           "The bot's token, from @BotFather (empty: no bot).", accepted.text, secret=True),
    Option("bot_chats", "ANALYTICBOT_BOT_CHATS", "",
           "The chats that may use the bot, as ids separated by commas (empty: everybody who finds "
           "it).",
           accepted.chats),
    Option("log_level", "ANALYTICBOT_LOG_LEVEL", "info",
           "The lowest level that is logged: debug, info, warning or error.", accepted.level),
    Option("log_format", "ANALYTICBOT_LOG_FORMAT", "text",
           "The format of log lines: text, or json (one object per line).",
           accepted.form),
    Option("traces", "ANALYTICBOT_TRACES", "",
           "Where to send OpenTelemetry traces by OTLP over HTTP: `http://host:4318/v1/traces` "
           "(empty: no tracing). Needs the extra `tracing`.", accepted.url("http", "https")),
    Option("trace_share", "ANALYTICBOT_TRACE_SHARE", "0.1",
           "The share of observations that is traced, from 0 to 1.", accepted.share),
)  # fmt: skip

#: URLs, each of which may contain a password.
_URLS = ("log", "history", "control")

_OPTIONAL = {
    "log_password",
    "instance",
    "api_key",
    "secret_key",
    "telegram_api_id",
    "telegram_api_hash",
    "bot_token",
    "bot_chats",
    "traces",
}


def read_settings(
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    flags: Mapping[str, tuple[str, str]] | None = None,
    defaults: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force. Raises ConfigError naming the option.

    `flags`: options of the command line, which win: name and text by variable. `defaults`: by
    variable, in place of the options' defaults.
    """
    environment = os.environ if environment is None else environment
    if sentence := unknown_variable(environment, {option.variable for option in OPTIONS}):
        raise ConfigError(sentence)
    stored = _stored((folder or Path.cwd()) / CONFIG_FILE)
    values = {}
    for option in OPTIONS:
        name, text = (flags or {}).get(option.variable) or (
            option.variable,
            _text(option, environment, stored) or (defaults or {}).get(option.variable, ""),
        )
        values[option.field] = _value(option, name, text)
    return _completed(values)


def secrets_of(settings: Settings) -> Iterator[str]:
    """All secrets, including passwords in URLs, quoted and unquoted. Never print them."""
    for option in OPTIONS:
        if option.secret and (value := getattr(settings, option.field)):
            yield str(value)
    for field in _URLS:
        if password := urlsplit(getattr(settings, field)).password:
            yield password
            yield unquote(password)


def _stored(path: Path) -> dict[str, str]:
    """The keys of analyticbot.toml: each option's variable in lower case."""
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise ConfigError(f"{path}: {error}") from error
    known = {option.variable.lower().removeprefix("analyticbot_") for option in OPTIONS}
    if sentence := unknown_key(table, known):
        raise ConfigError(f"{path}: {sentence}")
    return {key: str(value) for key, value in table.items()}


def _text(option: Option, environment: Mapping[str, str], stored: Mapping[str, str]) -> str:
    """Empty if neither sets the option."""
    key = option.variable.lower().removeprefix("analyticbot_")
    given = environment.get(option.variable) or _from_file(option, environment)
    return given or stored.get(key, "")


def _value(option: Option, name: str, text: str) -> Any:
    """The parsed option. `name` is where the text was set, for errors."""
    text = text or option.default
    if not text and option.field in _OPTIONAL:
        return None
    try:
        return option.parse(text)
    except ValueError as error:
        shown = (
            "the value" if option.secret else repr(re.sub(r"(://[^:@/]*):[^@/]*@", r"\1:…@", text))
        )
        raise ConfigError(f"{name}: {shown} is invalid: {error}") from error


def _from_file(option: Option, environment: Mapping[str, str]) -> str | None:
    path = environment.get(f"{option.variable}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ConfigError(f"{option.variable}_FILE: {path}: {error.strerror}") from error


def _with_password(log: str, password: str | None) -> str:
    """The log's URL with its password, for use within this process only."""
    if not log.startswith(f"{KAFKA}:"):
        return log
    try:
        log = log if password is None else with_password(log, password)
    except WrongKafkaUrl as error:
        raise ConfigError(f"ANALYTICBOT_LOG_PASSWORD: {error}") from error
    settings = settings_of(log)
    if settings.user is not None and not settings.password:
        raise ConfigError("ANALYTICBOT_LOG_PASSWORD: the user in ANALYTICBOT_LOG needs one")
    return log


def _completed(values: dict[str, Any]) -> Settings:
    """The settings, with defaults that depend on other options. Raises ConfigError."""
    data = values["data"].expanduser().absolute()
    values["data"] = data
    values["log"] = values["log"] or f"embedded://{data / 'log'}"
    values["log"] = _with_password(values["log"], values["log_password"])
    values["history"] = values["history"] or f"chdb://{data / 'history'}"
    values["control"] = values["control"] or f"sqlite:///{data / 'control.db'}"
    settings = Settings(**values)
    if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.api_key:
        raise ConfigError(
            f"ANALYTICBOT_HOST: {settings.host} is reachable from outside: set ANALYTICBOT_API_KEY"
        )
    return settings
