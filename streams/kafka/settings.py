"""Settings of a log on Kafka, all in one URL.

    kafka://[user[:password]@]host[:port][,host[:port]…][?security=tls&ca=/path/ca.pem…]

The options are the fields of KafkaSettings that have a default. A user means SASL.
"""

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from streams.log import LogError

SCHEME = "kafka"
_PORT = 9092
_FILES = ("ca", "certificate", "key")
_SHAPE = re.compile(
    r"kafka://(?:(?P<user>[^:@/?]+)(?::(?P<password>[^@/?]*))?@)?(?P<servers>[^@/?]*)/?"
    r"(?:\?(?P<query>.*))?"
)
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")


class WrongKafkaUrl(LogError):
    """The message says what is wrong and what is accepted; it never contains a password."""


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    #: host:port of some brokers, which know the others.
    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    #: tls: the connection is encrypted, and the brokers' certificates are checked.
    security: Literal["plaintext", "tls"] = "plaintext"
    #: The SASL mechanism.
    mechanism: Literal["plain", "scram-sha-256", "scram-sha-512"] = "scram-sha-512"
    #: The authority of the brokers' certificates; by default those that the system trusts.
    ca: Path | None = None
    #: The client's certificate and key, if the brokers require one.
    certificate: Path | None = None
    key: Path | None = None
    #: Copies of every new topic; 0: as many as there are brokers, at most 3.
    replication: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    #: The session timeout: a member of a group that is silent for longer has left.
    session_ms: Annotated[int, msgspec.Meta(ge=1_000, le=1_800_000)] = 6_000
    #: A request without a response for longer has failed, and its connection with it.
    request_ms: Annotated[int, msgspec.Meta(ge=1_000, le=600_000)] = 15_000
    #: Bytes that may be accepted and not yet durable; above that `append` waits.
    buffer_bytes: Annotated[int, msgspec.Meta(ge=1)] = 32 << 20
    #: The client's name in the brokers' logs and quotas.
    client: str = "analyticbot"


#: Options of the query.
OPTIONS = KafkaSettings.__struct_fields__[KafkaSettings.__struct_fields__.index("security") :]


def settings_of(url: str) -> KafkaSettings:
    """Raises WrongKafkaUrl. Nothing is read or connected to."""
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise WrongKafkaUrl("write kafka://[user@]host:port[,host:port…][?option=value…]")
    given = dict(parse_qsl(shape["query"] or "", keep_blank_values=True))
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise WrongKafkaUrl(f"unknown option {unknown[0]}; known are {', '.join(OPTIONS)}")
    servers = tuple(_server(text) for text in shape["servers"].split(","))
    files = {name: Path(given[name]) for name in _FILES if name in given}
    fields: dict[str, Any] = {**given, **files, "servers": servers}
    for name in ("user", "password"):
        fields[name] = None if shape[name] is None else unquote(shape[name])
    try:
        settings = msgspec.convert(fields, KafkaSettings, strict=False)
    except msgspec.ValidationError as error:
        raise WrongKafkaUrl(_said(error)) from error
    _check(settings)
    return settings


def with_password(url: str, password: str) -> str:
    """The URL with a password. Raises WrongKafkaUrl without a user."""
    shape = _SHAPE.fullmatch(url)
    if shape is None or shape["user"] is None:
        raise WrongKafkaUrl("a password needs its user: kafka://user@host:port")
    start, end = shape.span("user")[1], shape.start("servers") - 1
    return f"{url[:start]}:{quote(password, safe='')}{url[end:]}"


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments of every consumer, producer and admin client of aiokafka.

    Reads the certificates. Raises WrongKafkaUrl.
    """
    tls = settings.security == "tls"
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.servers),
        "client_id": settings.client,
        "request_timeout_ms": settings.request_ms,
        "security_protocol": "SSL" if tls else "PLAINTEXT",
    }
    if tls:
        options["ssl_context"] = _tls(settings)
    if settings.user is not None:
        if not settings.password:
            raise WrongKafkaUrl("a user needs a password: set ANALYTICBOT_LOG_PASSWORD")
        options |= {
            "security_protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
            "sasl_mechanism": settings.mechanism.upper(),
            "sasl_plain_username": settings.user,
            "sasl_plain_password": settings.password,
        }
    return options


def _server(text: str) -> str:
    shape = _SERVER.fullmatch(text)
    port = int(shape["port"] or _PORT) if shape else 0
    if shape is None or not 0 < port < 65536:
        raise WrongKafkaUrl(f"{text!r} is not a broker: use host:port")
    return f"{shape['host']}:{port}"


def _check(settings: KafkaSettings) -> None:
    """Checks combinations of fields."""
    if settings.security != "tls":
        for name in _FILES:
            if getattr(settings, name) is not None:
                raise WrongKafkaUrl(f"{name} needs security=tls")
    if (settings.certificate is None) != (settings.key is None):
        raise WrongKafkaUrl("certificate and key need each other")


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise WrongKafkaUrl(f"ca={settings.ca}: {_reason(error)}") from error
    if settings.certificate is not None:
        try:
            context.load_cert_chain(settings.certificate, settings.key)
        except (OSError, ssl.SSLError) as error:
            raise WrongKafkaUrl(f"certificate={settings.certificate}: {_reason(error)}") from error
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "not a certificate with its key in PEM"
    return error.strerror or str(error)


def _said(error: msgspec.ValidationError) -> str:
    """The option's name first, as msgspec has it at the end: 'what - at `$.option`'."""
    what, _, at = str(error).partition(" - at `$.")
    name = at.rstrip("`")
    accepted: Mapping[str, str] = {
        "security": "plaintext or tls",
        "mechanism": "plain, scram-sha-256 or scram-sha-512",
    }
    return f"{name}: use {accepted[name]}" if name in accepted else f"{name}: {what}"
