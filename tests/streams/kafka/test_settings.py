"""kafka:// URLs: what they say, and what is refused before anything is connected to."""

from pathlib import Path

import pytest

from streams.kafka.settings import (
    KafkaSettings,
    WrongKafkaUrl,
    client_options,
    settings_of,
    with_password,
)


def test_a_url_names_brokers() -> None:
    assert settings_of("kafka://a") == KafkaSettings(servers=("a:9092",))
    expected = ("a.example:9093", "[::1]:9092", "10.0.0.1:1")
    assert settings_of("kafka://a.example:9093,[::1],10.0.0.1:1").servers == expected


def test_a_url_holds_every_option() -> None:
    url = (
        "kafka://me%40home:p%3Aw@h:1?security=tls&mechanism=plain&ca=/ca&certificate=/c&key=/k"
        "&replication=2&session_ms=7000&request_ms=8000&buffer_bytes=9&client=one"
    )
    assert settings_of(url) == KafkaSettings(
        servers=("h:1",),
        user="me@home",
        password="p:w",
        security="tls",
        mechanism="plain",
        ca=Path("/ca"),
        certificate=Path("/c"),
        key=Path("/k"),
        replication=2,
        session_ms=7_000,
        request_ms=8_000,
        buffer_bytes=9,
        client="one",
    )


@pytest.mark.parametrize(
    "url", ["kafka://u@h:1", "kafka://u:old@h:1", "kafka://u:old@h:1?client=x"]
)
def test_a_password_is_put_in(url: str) -> None:
    settings = settings_of(with_password(url, "p@ss:/wörd?"))
    assert (settings.user, settings.password) == ("u", "p@ss:/wörd?")
    assert settings.servers == ("h:1",)
    with pytest.raises(WrongKafkaUrl, match="needs its user"):
        with_password("kafka://h:1", "secret")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka:h:1", "write kafka://"),
        ("kafka://", "'' is not a broker: use host:port"),
        ("kafka://h:1,", "'' is not a broker"),
        ("kafka://h:70000", "'h:70000' is not a broker"),
        ("kafka://h h:1", "'h h:1' is not a broker"),
        ("kafka://h:1?sercurity=tls", "unknown option sercurity; known are security, mechanism"),
        ("kafka://h:1?security=ssl", "security: use plaintext or tls"),
        ("kafka://u:p@h:1?mechanism=md5", "mechanism: use plain, scram-sha-256 or scram-sha-512"),
        ("kafka://h:1?replication=-1", "replication: Expected `int` >= 0"),
        ("kafka://h:1?session_ms=soon", "session_ms: Expected `int`"),
        ("kafka://h:1?ca=/ca", "ca needs security=tls"),
        ("kafka://h:1?security=tls&key=/k", "certificate and key need each other"),
    ],
)
def test_a_wrong_url_says_what_is_accepted(url: str, said: str) -> None:
    with pytest.raises(WrongKafkaUrl) as raised:
        settings_of(url)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_client_options_follow_from_user_and_security() -> None:
    def protocol(url: str) -> str:
        return str(client_options(settings_of(url))["security_protocol"])

    assert protocol("kafka://h") == "PLAINTEXT"
    assert protocol("kafka://h?security=tls") == "SSL"
    assert protocol("kafka://u:p@h") == "SASL_PLAINTEXT"
    assert protocol("kafka://u:p@h?security=tls") == "SASL_SSL"
    options = client_options(settings_of("kafka://u:p@h,i:1?mechanism=scram-sha-256"))
    assert options["bootstrap_servers"] == ["h:9092", "i:1"]
    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")


def test_a_user_needs_a_password() -> None:
    settings = settings_of("kafka://u@h:1")
    with pytest.raises(WrongKafkaUrl, match="ANALYTICBOT_LOG_PASSWORD"):
        client_options(settings)


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for name in ("/nowhere.pem", str(broken)):
        with pytest.raises(WrongKafkaUrl, match=f"^ca={name}: "):
            client_options(settings_of(f"kafka://h?security=tls&ca={name}"))
        with pytest.raises(WrongKafkaUrl, match=f"^certificate={name}: "):
            client_options(settings_of(f"kafka://h?security=tls&certificate={name}&key={broken}"))
