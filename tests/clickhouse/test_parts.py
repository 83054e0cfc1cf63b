"""Which parts of a folder are gone, by the names and rows of what was found."""

import pytest

from clickhouse.parts import Part, lost

NOW_S = 100


def part(name: str, rows: int = 10, expires_s: int = 0, table: str = "posts") -> Part:
    return Part(table, name, rows, expires_s)


KNOWN = part("202501_2_5_1", rows=30)


@pytest.mark.parametrize(
    "found",
    [
        [KNOWN],
        [part("202501_1_9_2", rows=99)],
        # Broken, and what it was merged of is still there.
        [part("202501_2_3_0", rows=12), part("202501_4_5_0", rows=18)],
        # As well as what that was merged of.
        [
            part("202501_2_4_1", rows=20),
            part("202501_2_2_0", rows=12),
            part("202501_3_4_0", rows=8),
            part("202501_5_5_0", rows=10),
        ],
    ],
)
def test_its_rows_are_in_what_was_found(found: list[Part]) -> None:
    assert lost([KNOWN], found, NOW_S) == []


@pytest.mark.parametrize(
    "found",
    [
        [],
        [part("202502_2_5_1", rows=30)],
        [part("202501_2_5_1", rows=30, table="alerts")],
        [part("202501_3_9_1", rows=99), part("202501_1_4_1", rows=99)],
        # Rows that were counted twice would be enough.
        [part("202501_2_4_1", rows=15), part("202501_2_3_0", rows=15)],
        [part("202501_2_3_0", rows=12), part("202501_4_5_0", rows=17)],
        [part("broken", rows=99)],
    ],
)
def test_it_is_lost(found: list[Part]) -> None:
    assert lost([KNOWN], found, NOW_S) == [KNOWN]


def test_what_has_expired_is_not_missed() -> None:
    expired, later = part("1_1_1_0", expires_s=NOW_S), part("1_2_2_0", expires_s=NOW_S + 1)
    assert lost([expired, later], [], NOW_S) == [later]


def test_empty_parts_and_names_of_no_part_are_found_by_name_alone() -> None:
    empty, odd = part("1_1_1_0", rows=0), part("odd")
    assert lost([empty], [empty], NOW_S) == []
    assert lost([empty], [], NOW_S) == [empty]
    assert lost([odd], [odd], NOW_S) == [odd]
