"""What a released version stored is read by this one, in every layout that there ever was."""

import msgspec
import pytest

from agents.pipeline import INPUTS, PIPELINE
from streams.ids import ChannelId
from streams.topics import UPDATES, WINDOWS
from streams.units import DAY_MS
from tables.rows import Row, RowDecoder, encode_row, layout_of
from tests.agents.in_memory import InMemory
from tests.agents.test_decisions import taking_off
from tests.laws.decision import feed
from tests.streams.sources.manual_clock import ManualClock
from tests.tables import golden_states
from tests.tables.golden_states import TABLES, WRITE, State, fields_of, missing, path_of, states

STATES = states()
CHANNEL = ChannelId(42)


def test_every_layout_has_a_kept_state() -> None:
    for table in missing():
        pytest.fail(
            f"table {table.name} has layout {layout_of(table.row)} and no kept state: run `{WRITE}`"
        )


def test_one_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Next(Row):
        version: int = 99

    changed = msgspec.structs.replace(TABLES["posts"], row=Next)
    monkeypatch.setattr(golden_states, "TABLES", {**TABLES, "posts": changed})
    assert [(table.name, layout_of(table.row)) for table in missing()] == [("posts", 99)]


def test_every_kept_state_is_of_a_table_that_there_is() -> None:
    assert {state.table for state in STATES} == set(TABLES)


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.table}_v{state.layout}")
def test_a_kept_state_is_read_and_stored_in_the_present_layout(state: State) -> None:
    row_of = TABLES[state.table].row
    decode: RowDecoder[Row] = RowDecoder(row_of)
    assert state.rows
    for _, stored in state.stored:
        assert msgspec.msgpack.decode(stored)[0] == state.layout
        row = decode(stored)
        assert row.version == layout_of(row_of)
        assert decode(encode_row(row)) == row


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.table}_v{state.layout}")
def test_fields_of_one_layout_keep_their_places(state: State) -> None:
    """A field that is moved would be read as another; one that is added comes last."""
    row = TABLES[state.table].row
    if state.layout != layout_of(row):
        return
    present = fields_of(row)
    for path, fields in state.fields.items():
        assert present.get(path, [])[: len(fields)] == fields, (
            f"table {state.table}{path}: fields moved within layout {state.layout}: give the row "
            f"the next version, and an upgrade; or, if one was renamed where it is, rename it in "
            f"{path_of(state.table, state.layout)}"
        )


def test_decisions_go_on_from_kept_states() -> None:
    """Of the oldest layout of each table: all decisions fold on, and rows get the present one."""
    run = InMemory(PIPELINE, INPUTS, ManualClock(2**41))
    oldest = {state.table: state for state in sorted(STATES, key=lambda s: -s.layout)}
    for state in oldest.values():
        run.tables[state.table] = {} if state.table == "fills" else dict(state.stored)
    newest = max(_last_offset(state) for state in oldest.values()) + 1
    for topic in (UPDATES.name, WINDOWS.name):
        for _ in range(newest):
            run.append(topic, None, b"", 0)
        run.positions[topic] = newest
    before = {name: dict(rows) for name, rows in run.tables.items()}
    replace = msgspec.structs.replace
    feed(run, [replace(e, observed_at_ms=e.observed_at_ms + DAY_MS) for e in taking_off(CHANNEL)])
    run.run()
    for decision in PIPELINE:
        assert any(run.tables[table.name] != before[table.name] for table in decision.tables)
        for table in decision.tables:
            decode: RowDecoder[Row] = RowDecoder(table.row)
            assert {decode(row).version for row in run.tables[table.name].values()} == {
                layout_of(table.row)
            }


def _last_offset(state: State) -> int:
    return max(int(msgspec.msgpack.decode(stored)[1]) for _, stored in state.stored)
