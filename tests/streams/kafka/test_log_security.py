"""TLS and SASL against a real broker: what is let in, and one clear line for what is not."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from streams.kafka.log import KafkaLog
from streams.kafka.settings import settings_of
from streams.log import Draft, LogError, LogUnavailable
from streams.topics import Topic
from tests.kafka.certificates import Authority
from tests.kafka.cluster import Cluster, Listener
from tests.kafka.fixtures import started, unique

USERS = {"alice": "open sesame", "bob": "nothing"}
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class Secured:
    """A broker with a listener of each kind, and the certificates that belong to it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "ours")
        self.stranger = Authority(folder / "strangers", "stranger")
        tls = self.authority.broker_settings("broker")
        passwords = " ".join(f'user_{name}="{word}"' for name, word in USERS.items())
        sasl = {
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "scram-sha-512.sasl.jaas.config": _SCRAM,
            "plain.sasl.jaas.config": f"{_PLAIN} {passwords};",
        }
        self.cluster = Cluster(
            listeners=(
                Listener("TLS", "SSL", _named("tls", {**tls, "ssl.client.auth": "required"})),
                Listener("BOTH", "SASL_SSL", _named("both", {**tls, **sasl})),
                Listener("SASL", "SASL_PLAINTEXT", _named("sasl", sasl)),
            ),
            settings={
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                # The plain listener's clients, those with a certificate, and one of the users.
                "super.users": "User:ANONYMOUS;User:CN=worker;User:alice",
            },
            users=USERS,
        )

    def url(self, listener: str, user: str | None = None, word: str = "", **options: object) -> str:
        who = "" if user is None else f"{user}:{quote(word or USERS[user])}@"
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"kafka://{who}{self.cluster.servers_of(listener)}?{query}"


def _named(listener: str, settings: dict[str, str]) -> dict[str, str]:
    return {f"listener.name.{listener}.{name}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    secured = Secured(tmp_path_factory.mktemp("certificates"))
    for _ in started(secured.cluster):
        yield secured


async def works(url: str) -> None:
    """Made, written, read and committed."""
    log = await KafkaLog.open(settings_of(url))
    try:
        name = unique("secured")
        await log.create(Topic(name), 1)
        [(at, offset)] = await log.append([Draft(name, b"key", b"value", 1)])
        batch = await anext(log.subscribe([name], {at: 0}))
        assert [record.value for record in batch.records] == [b"value"]
        await log.commit(unique("group"), {at: offset})
    finally:
        await log.close()


async def refusal(url: str) -> str:
    with pytest.raises(LogError) as raised:
        await KafkaLog.open(settings_of(url))
    said = str(raised.value)
    assert not isinstance(raised.value, LogUnavailable)
    assert "\n" not in said
    assert not any(word in said for word in (*USERS.values(), "wrong"))
    return said


async def test_a_client_with_a_certificate_is_let_in(secured: Secured) -> None:
    certificate, key = secured.authority.sign("worker")
    ca = secured.authority.certificate
    await works(secured.url("TLS", security="tls", ca=ca, certificate=certificate, key=key))


@pytest.mark.parametrize("mechanism", ["scram-sha-512", "plain"])
async def test_a_user_with_a_password_is_let_in(secured: Secured, mechanism: str) -> None:
    ca = secured.authority.certificate
    await works(secured.url("BOTH", "alice", security="tls", ca=ca, mechanism=mechanism))
    await works(secured.url("SASL", "alice", mechanism=mechanism))


@pytest.mark.parametrize("mechanism", ["scram-sha-512", "plain"])
@pytest.mark.parametrize("listener", ["BOTH", "SASL"])
async def test_a_wrong_password_is_one_clear_line(
    secured: Secured, listener: str, mechanism: str
) -> None:
    tls = {"security": "tls", "ca": secured.authority.certificate} if listener == "BOTH" else {}
    url = secured.url(listener, "alice", "wrong", mechanism=mechanism, **tls)
    assert "refuses user 'alice': name or password?" in await refusal(url)


async def test_a_mechanism_that_is_not_there_is_one_clear_line(secured: Secured) -> None:
    said = await refusal(secured.url("SASL", "alice", mechanism="scram-sha-256"))
    assert "has no mechanism=scram-sha-256" in said


async def test_a_certificate_of_a_stranger_is_one_clear_line(secured: Secured) -> None:
    ca = secured.stranger.certificate
    said = await refusal(secured.url("BOTH", "alice", security="tls", ca=ca))
    assert "is not trusted (ca=" in said


async def test_a_name_that_is_not_in_the_certificate_is_one_clear_line(secured: Secured) -> None:
    url = secured.url("BOTH", "alice", security="tls", ca=secured.authority.certificate)
    said = await refusal(url.replace("127.0.0.1", "localhost"))
    assert "is not trusted (ca=" in said
    assert "'localhost'" in said


@pytest.mark.parametrize(("listener", "security"), [("SASL", "tls"), ("BOTH", "plaintext")])
async def test_tls_on_one_side_only_is_one_line_in_time(
    secured: Secured, listener: str, security: str
) -> None:
    url = secured.url(listener, "alice", security=security, request_ms=2000)
    with pytest.raises(LogUnavailable, match="cannot be reached: ") as raised:
        await KafkaLog.open(settings_of(url))
    assert f"does it speak security={security}?" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_client_without_a_certificate_is_not_let_in(secured: Secured) -> None:
    url = secured.url("TLS", security="tls", ca=secured.authority.certificate, request_ms=2000)
    with pytest.raises(LogError) as raised:
        await KafkaLog.open(settings_of(url))
    assert "\n" not in str(raised.value)


async def test_a_user_without_rights_is_told_what_is_not_allowed(secured: Secured) -> None:
    name = unique("closed")
    alice = await KafkaLog.open(settings_of(secured.url("SASL", "alice")))
    await alice.create(Topic(name), 1)
    [at] = await alice.partitions(name)
    await alice.close()
    bob = await KafkaLog.open(settings_of(secured.url("SASL", "bob")))
    for call in (
        bob.read(at, 0, 1),
        bob.append([Draft(name, b"key", b"value", 1)]),
        bob.create(Topic(unique("own")), 1),
        bob.commit(unique("group"), {at: 0}),
        anext(bob.subscribe([name], {at: 0})),
    ):
        with pytest.raises(LogError, match=r"does not allow user 'bob'") as raised:
            await call
        assert "\n" not in str(raised.value)
    await bob.close()
