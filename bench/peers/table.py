"""The figures as tables: a line an engine, a column a measure. The names' one writer and reader."""

from collections.abc import Mapping

#: Parts of a figure's name: table, engine, measure.
BETWEEN = " · "

_SPEED, _EFFICIENCY = "events/s", "events/s of processor time"
#: The measures, as columns, and how many digits are after the point.
MEASURES = {
    _SPEED: 0,
    _EFFICIENCY: 0,
    "broker, % of a core": 0,
    "start, s": 1,
    "memory, MiB": 0,
    "events": 0,
    "rows wrong": 0,
}
SUMMARY = "in short, times"
#: The columns of the summary, and what is compared.
TIMES = {"by the clock": _SPEED, "by processor time": _EFFICIENCY}


def name(table: str, engine: str, measure: str) -> str:
    return BETWEEN.join((table, engine, measure))


def tables(figures: Mapping[str, float]) -> str:
    """Markdown: a table for each part."""
    parts: dict[str, dict[str, dict[str, float]]] = {}
    for key, value in figures.items():
        part, line, measure = key.split(BETWEEN)
        parts.setdefault(part, {}).setdefault(line, {})[measure] = value
    return "\n".join(
        _part(part, lines, dict.fromkeys(TIMES, 1) if part == SUMMARY else MEASURES)
        for part, lines in parts.items()
    )


def _part(part: str, lines: Mapping[str, Mapping[str, float]], columns: Mapping[str, int]) -> str:
    made = [f"| {part} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for line, found in lines.items():
        cells = [
            f"{found[column]:,.{digits}f}" if column in found else "–"
            for column, digits in columns.items()
        ]
        made.append(f"| {line} | {' | '.join(cells)} |")
    return "\n".join(made) + "\n"
