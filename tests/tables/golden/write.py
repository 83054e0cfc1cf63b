"""Keeps a state of each table whose layout has none: `python -m tests.tables.golden.write`.

Run it with the version that first has the layout. A state that is kept stays as it is.
"""

import msgspec

from agents.engine.ports import Table
from agents.pipeline import INPUTS, PIPELINE
from tables.rows import layout_of
from tests.agents.in_memory import InMemory
from tests.agents.test_decisions import taking_off
from tests.agents.working import recorded_events
from tests.laws.decision import feed
from tests.streams.sources.manual_clock import ManualClock
from tests.tables.golden_states import State, fields_of, missing, path_of

ROWS = 3


def state_of(table: Table, run: InMemory) -> State:
    newest = sorted(run.tables[table.name].items())[-ROWS:]
    rows = [(key.hex(), value.hex()) for key, value in newest]
    return State(table.name, layout_of(table.row), fields_of(table.row), rows)


def main() -> None:
    run = InMemory(PIPELINE, INPUTS, ManualClock(2**41))
    feed(run, sorted([*recorded_events()[:300], *taking_off(42)], key=lambda e: e.observed_at_ms))
    run.run()
    for table in missing():
        path = path_of(table.name, layout_of(table.row))
        path.write_bytes(msgspec.json.format(msgspec.json.encode(state_of(table, run))) + b"\n")
        print(f"kept {path}")


if __name__ == "__main__":
    main()
