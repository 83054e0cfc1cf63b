"""Formats rows as a table for people and as JSON for programs."""

from collections.abc import Sequence

import msgspec

_UNKNOWN = "—"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Each column is as wide as its widest cell. None becomes a dash."""
    texts = [list(heads), *([_UNKNOWN if one is None else str(one) for one in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
    return "\n".join(lines)


def as_json(rows: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.format(msgspec.json.encode(rows)).decode()
