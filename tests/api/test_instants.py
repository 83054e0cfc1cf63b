"""Instants are integers in the program and ISO-8601 in answers, whoever declares the answer."""

from typing import get_args, get_type_hints

import msgspec
import pytest

from api.instants import ENCODERS, json_schema
from clickhouse import history
from clickhouse.history_reader import HistoryReader
from clickhouse.reader import Answered, Instant
from streams.ids import ChannelId


class Asked(Answered, frozen=True):
    from_ms: Instant
    until_ms: Instant | None
    views: int


def written(answer: object) -> bytes:
    return msgspec.json.encode(answer, enc_hook=lambda value: ENCODERS[type(value)](value))


def test_an_instant_is_text_without_its_unit() -> None:
    answer = Asked(Instant(1_700_000_000_250), None, 3)
    assert written(answer) == b'{"from":"2023-11-14T22:13:20.250Z","until":null,"views":3}'
    assert answer.from_ms + 1 == 1_700_000_000_251
    schema = msgspec.json.schema(Asked, schema_hook=json_schema)["$defs"]["Asked"]
    assert schema["properties"]["from"] == {"type": "string"}
    assert schema["properties"]["until"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize("answered", Answered.__subclasses__(), ids=lambda kind: kind.__name__)
def test_what_is_called_ms_is_an_instant_and_nothing_else_is(answered: type[Answered]) -> None:
    for name, kind in get_type_hints(answered).items():
        assert name.endswith("_ms") == (Instant in (kind, *get_args(kind))), name


async def test_a_question_of_ones_own_answers_instants() -> None:
    class Spans(Answered, frozen=True):
        since_ms: Instant
        channel_id: ChannelId

    class Told:
        """A history with one answer."""

        async def ask(self, query: str, parameters: dict[str, object]) -> history.Answer:
            assert (query, parameters) == ("spans", {"channel_id": 7})
            return history.Answer({"since_ms": [1000], "channel_id": [7]})

    reader = HistoryReader(Told())  # type: ignore[arg-type]
    [row] = await reader.ask("spans", Spans, channel_id=7)
    assert written(row) == b'{"since":"1970-01-01T00:00:01Z","channel_id":7}'
