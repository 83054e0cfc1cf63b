"""ClickHouse's HTTP interface over the engine in process: as much of it as the client uses.

A stand-in for a server, which a test machine has none of. Each request gets a connection of its
own, as requests without a session do. `faults` are answered once each, before anything is done.

``python -m tests.clickhouse.shim FOLDER PORT`` is a server that can be stopped and killed.
"""

import asyncio
import gzip
import json
import re
import socket
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import chdb
import lz4.frame
import uvicorn
import zstandard

#: Parameters of the interface itself; what is left are settings of the engine.
OWN = frozenset(
    (
        *("query", "database", "user", "password", "session_id", "session_timeout", "role"),
        *("session_check", "query_id", "quota_key", "compress", "decompress", "readonly"),
        *("wait_end_of_query", "client_protocol_version", "buffer_size", "default_format"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms"),
        "enable_http_compression",
    )
)
_INSERT = re.compile(rb"^\s*INSERT\s+INTO\s.*?\bFORMAT\s+(\w+)[ \t]*\r?\n?", re.I | re.S)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.I)
_CODE = re.compile(r"Code: (\d+)")


class Fault(NamedTuple):
    status: int
    code: int
    message: str


class Answered(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class Shim:
    """An ASGI application."""

    def __init__(self, folder: Path) -> None:
        self.faults: list[Fault] = []
        self._folder = str(folder)
        self._threads = ThreadPoolExecutor(4, "shim")

    def close(self) -> None:
        self._threads.shutdown()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {key.decode().lower(): value.decode("latin1") for key, value in scope["headers"]}
        parameters = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        answered = await self._answer(scope["path"], parameters, headers, body)
        names = {**answered.headers, "content-length": str(len(answered.body))}
        raw = [(key.encode(), value.encode()) for key, value in names.items()]
        await send({"type": "http.response.start", "status": answered.status, "headers": raw})
        await send({"type": "http.response.body", "body": answered.body})

    async def _answer(
        self, path: str, parameters: dict[str, str], headers: dict[str, str], body: bytes
    ) -> Answered:
        if path == "/ping":
            return Answered(200, b"Ok.\n", {})
        if self.faults:
            fault = self.faults.pop(0)
            text = f"Code: {fault.code}. DB::Exception: {fault.message}\n"
            return _failed(fault.status, text)
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            parameters, body = {**parameters, **_form(kind, body)}, b""
        data = _unpacked(body, headers.get("content-encoding"))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, parameters, data)

    def _run(self, parameters: dict[str, str], data: bytes) -> Answered:
        connection = chdb.connect(self._folder)
        try:
            return self._query(connection, parameters, data)
        except (RuntimeError, chdb.ChdbError) as error:
            text = str(error)
            return _failed(500, text[max(text.find("Code: "), 0) :])
        finally:
            connection.close()

    def _query(self, connection: Any, parameters: dict[str, str], data: bytes) -> Answered:
        database = parameters.get("database", "default")
        connection.query(f"USE `{database if database != '__default__' else 'default'}`", "TSV")
        for name, value in parameters.items():
            if name not in OWN and not name.startswith("param_"):
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                connection.query(f"SET {name} = '{quoted}'", "TSV")
        bound = {name[6:]: value for name, value in parameters.items() if name[:6] == "param_"}
        text = parameters.get("query", "").encode()
        whole = text + (b"\n" if text and data else b"") + data
        inserted = _INSERT.match(whole)
        if inserted and whole[inserted.end() :]:
            return _insert(connection, inserted, whole[inserted.end() :], bound)
        query = whole.decode()
        named = _FORMAT.search(query)
        wanted = named[1] if named else parameters.get("default_format", "TabSeparated")
        result = connection.query(query, wanted, params=bound)
        out = result.bytes() or b""
        return Answered(200, out, _headers({"read_rows": str(result.rows_read())}, wanted))


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Shim, int]]:
    """A shim on a free port of 127.0.0.1."""
    shim = Shim(folder)
    listening = socket.create_server(("127.0.0.1", 0))
    server = _server(shim)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield shim, listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        shim.close()


async def serve(folder: Path, port: int) -> None:
    """Until a signal ends it."""
    shim = Shim(folder)
    # Without one connection that stays, the engine would be opened anew for every request.
    keeper = chdb.connect(str(folder))
    listening = socket.create_server(("127.0.0.1", port))
    try:
        await _server(shim).serve([listening])
    finally:
        shim.close()
        keeper.close()


def _server(shim: Shim) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(shim, log_level="error", lifespan="off"))


def _insert(connection: Any, head: re.Match[bytes], rows: bytes, bound: dict[str, str]) -> Answered:
    """The rows go through a file; their settings must follow its name."""
    statement = re.sub(rb"\bFORMAT\s+\w+\s*$", b"", head[0].rstrip(), flags=re.I).decode()
    settings = re.search(r"\bSETTINGS\b.*$", statement, re.I | re.S)
    into = statement[: settings.start()] if settings else statement
    with tempfile.NamedTemporaryFile() as file:
        file.write(rows)
        file.flush()
        result = connection.query(
            f"{into} FROM INFILE '{file.name}' {settings[0] if settings else ''}"
            f" FORMAT {head[1].decode()}",
            "TSV",
            params=bound,
        )
    return Answered(200, b"", _headers({"written_rows": str(result.rows_read())}, ""))


def _headers(summary: dict[str, str], format_name: str) -> dict[str, str]:
    named = {"x-clickhouse-format": format_name} if format_name else {}
    return {
        "x-clickhouse-timezone": "UTC",
        "x-clickhouse-query-id": str(uuid.uuid4()),
        "x-clickhouse-summary": json.dumps(summary),
        "content-type": "application/octet-stream",
        **named,
    }


def _failed(status: int, text: str) -> Answered:
    code = _CODE.search(text)
    headers = {"x-clickhouse-exception-code": code[1] if code else "1"}
    return Answered(status, text.encode(), headers)


def _form(kind: str, body: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(
            decode=True
        ).decode()
        for part in message.iter_parts()
    }


def _unpacked(body: bytes, encoding: str | None) -> bytes:
    match encoding:
        case None | "" | "identity":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "lz4":
            return bytes(lz4.frame.decompress(body))
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    raise ValueError(f"content-encoding {encoding}")


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
