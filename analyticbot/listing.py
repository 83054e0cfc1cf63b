"""Rows for people, as a table, and for programs, as JSON."""

from collections.abc import Sequence

import msgspec

_UNKNOWN = "—"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as what is in them. What is None is a dash."""
    texts = [list(heads), *([_UNKNOWN if one is None else str(one) for one in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
    return "\n".join(lines)


def as_json(rows: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.format(msgspec.json.encode(rows)).decode()
