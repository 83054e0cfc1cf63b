"""Asks a history what the standard input says, in JSON, and prints the answers, in JSON.

A process of its own, because the engine can be open in one folder of a process only:
``python -m tests.asked_of_history chdb:///folder < questions``. A question is a list: the name of
the reader's method, the channel (or null), and the further arguments.
"""

import asyncio
import sys
from typing import Any

import msgspec

from clickhouse.history_reader import HistoryReader
from clickhouse.opening import open_history
from streams.ids import parse_channel


async def answered(url: str, questions: list[list[Any]]) -> list[Any]:
    history = await open_history(url)
    reader = HistoryReader(history)
    try:
        return [await _answered(reader, *question) for question in questions]
    finally:
        await history.close()


async def _answered(reader: HistoryReader, method: str, channel: str | None, *rest: Any) -> Any:
    if method == "stored":
        return (await reader._history.ask("stored", {})).rows
    if channel is None:
        return await getattr(reader, method)(*rest)
    found = await reader.channel(parse_channel(channel))
    return None if found is None else await getattr(reader, method)(found.id, *rest)


def _plain(value: Any) -> Any:
    """By the names of the fields, instants as milliseconds: not as faces write it."""
    match value:
        case msgspec.Struct():
            return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case int() if not isinstance(value, bool):
            return int(value)
        case _:
            return value


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read())
    answers = asyncio.run(answered(sys.argv[1], asked))
    sys.stdout.buffer.write(msgspec.json.encode(_plain(answers)))
