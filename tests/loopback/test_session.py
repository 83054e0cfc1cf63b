"""A session's rules: ids, what is sent again, what is complained about."""

import struct
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import functions, types

from loopback.mtproto import messages, tl
from loopback.mtproto.auth_keys import AuthKey
from loopback.mtproto.encryption import Sealed, seal, unseal
from loopback.mtproto.errors import DamagedMessage
from loopback.mtproto.messages import Message, ServerIds
from loopback.mtproto.obfuscation import CounterCipher
from loopback.mtproto.service import answer_service
from loopback.mtproto.session import MAX_UNACKED, Session

KEY = AuthKey(b"\x01" + bytes(range(255)))


class StoppedClock(NamedTuple):
    ms: int = 1_800_000_000_123
    speed: float = 1.0

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: float) -> None: ...


class Client:
    """The other end: decrypts what the session sends."""

    def __init__(self, session: Session) -> None:
        self.got: list[Message] = []
        self._session = session
        session.attach(self.take)

    def take(self, packet: bytes) -> None:
        # The server's direction differs from the client's by the part of the key it uses.
        mirrored = KEY.key[8:] + KEY.key[:8]
        sealed = unseal(mirrored, packet)
        self.got += messages.unpack(Message(*sealed[2:]))

    def objects(self) -> list[object]:
        self._session.flush()
        return [tl.read(tl.unzipped(m.body)) for m in self.got]


def new_session() -> Session:
    return Session(KEY, 42, StoppedClock())


def test_ids_grow_though_the_clock_stands() -> None:
    ids = ServerIds(StoppedClock())
    given_ids = [ids.msg_id(answer=n % 2 == 0) for n in range(1000)]
    assert given_ids == sorted(set(given_ids))
    assert {i & 3 for i in given_ids[::2]} == {1}
    assert {i & 3 for i in given_ids[1::2]} == {3}
    assert given_ids[0] >> 32 == 1_800_000_000


@pytest.mark.parametrize(
    ("age_s", "low_bits", "code"),
    [(0, 0, None), (301, 0, 16), (-31, 0, 17), (299, 0, None), (0, 1, 18), (0, 2, 18)],
)
def test_complaints_about_ids(age_s: int, low_bits: int, code: int | None) -> None:
    assert messages.complaint((1_800_000_000 - age_s) << 32 | low_bits, 1_800_000_000) == code


def test_many_messages_travel_in_containers() -> None:
    session = new_session()
    client = Client(session)
    for number in range(250):
        session.post(bytes(types.Pong(0, number)))

    assert [pong.ping_id for pong in client.objects()] == list(range(250))


def test_what_is_not_acknowledged_is_sent_again_on_another_connection() -> None:
    session = new_session()
    first = Client(session)
    for number in range(3):
        session.post(bytes(types.Pong(0, number)))
    first.objects()
    session.acknowledge([first.got[1].msg_id])

    second = Client(session)

    assert [pong.ping_id for pong in second.objects()] == [0, 2]
    assert [m.msg_id for m in second.got] == [first.got[0].msg_id, first.got[2].msg_id]


def test_repeated_request_gets_its_answer_again() -> None:
    session = new_session()
    client = Client(session)
    assert not session.is_repeated(100)
    session.post(bytes(types.Pong(100, 7)), answers=100)
    client.objects()

    assert session.is_repeated(100)

    assert [pong.ping_id for pong in client.objects()] == [7, 7]


def test_unacknowledged_messages_are_bounded() -> None:
    session = new_session()
    for number in range(MAX_UNACKED + 10):
        session.post(bytes(types.Pong(0, number)))
    session.flush()

    client = Client(session)

    assert client.objects()[0].ping_id == 10
    assert len(client.got) == MAX_UNACKED


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (functions.PingRequest(1), types.Pong),
        (functions.PingDelayDisconnectRequest(1, 60), types.Pong),
        (functions.GetFutureSaltsRequest(1), types.FutureSalts),
        (functions.DestroySessionRequest(9), types.DestroySessionOk),
        (types.MsgsStateReq([5]), types.MsgsStateInfo),
    ],
)
def test_service_messages_are_answered(request_: object, kind: type) -> None:
    session = new_session()
    client = Client(session)
    assert answer_service(session, 100, request_)
    assert isinstance(client.objects()[0], kind)


@pytest.mark.parametrize("request_", [types.MsgsAck([1]), types.HttpWait(0, 0, 0)])
def test_service_messages_without_an_answer(request_: object) -> None:
    session = new_session()
    client = Client(session)
    assert answer_service(session, 100, request_)
    assert client.objects() == []


def test_other_requests_are_no_service_messages() -> None:
    assert not answer_service(new_session(), 100, functions.help.GetConfigRequest())


@given(st.binary(max_size=4000).map(lambda b: b + bytes(-len(b) % 4)))
def test_what_is_packed_unpacks(body: bytes) -> None:
    assert tl.unzipped(tl.gzipped(b"\x00" * 4 + body)) == b"\x00" * 4 + body


@given(st.lists(st.binary(max_size=40), max_size=8), st.binary(min_size=48, max_size=48))
def test_obfuscation_is_a_stream(parts: list[bytes], key_and_iv: bytes) -> None:
    there = CounterCipher(key_and_iv[:32], key_and_iv[32:])
    back = CounterCipher(key_and_iv[:32], key_and_iv[32:])
    scrambled = b"".join(there.apply(part) for part in parts)
    assert back.apply(scrambled) == b"".join(parts)


def test_changed_packet_is_refused() -> None:
    packet = bytearray(seal(KEY.key, KEY.key_id, Sealed(1, 2, 3, 4, b"body")))
    packet[40] ^= 1
    with pytest.raises(DamagedMessage):
        unseal(KEY.key[8:] + KEY.key[:8], bytes(packet))


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<Ii", tl.MSG_CONTAINER, 2) + bytes(16),
        struct.pack("<Ii", tl.MSG_CONTAINER, 1),
        struct.pack("<Iiqii", tl.MSG_CONTAINER, 1 << 30, 4, 0, -16),
    ],
)
def test_container_cut_short_is_refused(body: bytes) -> None:
    with pytest.raises(DamagedMessage):
        list(messages.unpack(Message(4, 0, body)))


@pytest.mark.parametrize(
    "rest", [b"", b"\x00" * 4, b"\xfe\x10\x00\x00" + bytes(16), b"\x04abcd\x00\x00\x00"]
)
def test_gzip_that_does_not_unpack_is_refused(rest: bytes) -> None:
    with pytest.raises(DamagedMessage):
        tl.unzipped(struct.pack("<I", tl.GZIP_PACKED) + rest)


@pytest.mark.parametrize("data", [b"", b"\x01\x02\x03\x04", bytes(types.Pong(1, 2))[:9]])
def test_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedMessage):
        tl.read(data)
