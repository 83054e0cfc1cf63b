"""The proxy itself, between plain sockets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.proxy import Proxy
from tests.patience import PATIENCE_S


class Echo:
    """Sends back what it gets, and keeps it."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.got = b""
        self.arrived = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def has(self, wanted: bytes) -> bool:
        with self.arrived:
            return self.arrived.wait_for(lambda: self.got == wanted, PATIENCE_S)

    def close(self) -> None:
        # Closing alone would leave the thread waiting, and the port open.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                with self.arrived:
                    self.got += data
                    self.arrived.notify_all()
                connection.sendall(data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    with suppress(OSError):
        echo.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S)
    connection.settimeout(PATIENCE_S)
    return connection


def was_reset(proxy: Proxy) -> bool:
    """Somewhere between connecting and the first answer."""
    try:
        with connected(proxy) as connection:
            return not answered(connection, b"a")
    except (ConnectionResetError, BrokenPipeError):
        return True


def answered(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return received(connection, len(data))


def received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def test_everything_gets_through_unchanged(proxy: Proxy) -> None:
    data = bytes(range(256)) * 40_000
    with connected(proxy) as connection:
        sending = threading.Thread(target=connection.sendall, args=(data,))
        sending.start()
        assert received(connection, len(data)) == data
        sending.join()
    assert proxy.connections == 1


def test_an_end_is_passed_on(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as connection:
        connection.sendall(b"last")
        connection.shutdown(socket.SHUT_WR)
        assert received(connection, 100) == b"last"


def test_a_delay_is_of_each_way_and_keeps_the_order(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.delay(0.3, jitter_s=0.05)
        began = time.monotonic()
        for number in range(20):
            connection.sendall(b"%02d" % number)
        found = received(connection, 40)
        took_s = time.monotonic() - began
        assert found == b"".join(b"%02d" % number for number in range(20))
        # What is sent together is delayed together, not one after the other.
        assert 2 * 0.3 <= took_s < 20 * 0.3
        proxy.resume()
        assert min(_seconds_to_answer(connection) for _ in range(20)) < 0.3


def _seconds_to_answer(connection: socket.socket) -> float:
    began = time.monotonic()
    assert answered(connection, b"now") == b"now"
    return time.monotonic() - began


def test_a_cut_resets_what_is_connected_and_only_that(proxy: Proxy) -> None:
    with connected(proxy) as connection, connected(proxy) as other:
        assert answered(connection, b"a") == answered(other, b"a")
        proxy.cut()
        for each in (connection, other):
            with pytest.raises(ConnectionResetError):
                each.recv(1)
    with connected(proxy) as connection:
        assert answered(connection, b"again") == b"again"


def test_who_is_away_resets_whoever_comes(proxy: Proxy) -> None:
    proxy.go_away()
    assert was_reset(proxy)
    proxy.resume()
    with connected(proxy) as connection:
        assert answered(connection, b"back") == b"back"


def test_a_black_hole_takes_and_gives_nothing_until_it_ends(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as connection:
        assert answered(connection, b"before") == b"before"
        proxy.black_hole()
        connection.sendall(b" held")
        with connected(proxy) as other:
            other.settimeout(0.2)
            other.sendall(b"x")
            with pytest.raises(TimeoutError):
                other.recv(1)
        assert echo.got == b"before"
        proxy.resume()
        assert received(connection, 5) == b" held"


def test_half_closed_the_client_hears_no_more_and_is_still_heard(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as connection:
        assert answered(connection, b"both") == b"both"
        proxy.half_close()
        assert connection.recv(1) == b""
        connection.sendall(b" still heard")
        assert echo.has(b"both still heard")


def test_a_lost_answer_is_one_to_a_request_that_arrived(proxy: Proxy, echo: Echo) -> None:
    proxy.lose_answers(asked=lambda request: b"insert" in request)
    with connected(proxy) as connection:
        assert answered(connection, b"select ") == b"select "
        connection.sendall(b"insert")
        assert connection.recv(100) == b""
    assert echo.has(b"select insert")
    assert proxy.lost == 1
    with connected(proxy) as connection:
        assert answered(connection, b"insert") == b"insert"


def test_an_answer_can_end_in_its_middle(proxy: Proxy) -> None:
    proxy.lose_answers(after_bytes=4)
    with connected(proxy) as connection:
        connection.sendall(b"question")
        assert received(connection, 100) == b"ques"


def test_without_a_target_connections_are_reset(echo: Echo) -> None:
    with Proxy(echo.port) as proxy:
        echo.close()
        assert was_reset(proxy)
