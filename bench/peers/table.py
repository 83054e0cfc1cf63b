"""The figures as tables: a line an engine, a column a measure. The names' one writer and reader."""

from collections.abc import Mapping

#: Parts of a figure's name: table, engine, measure.
BETWEEN = " · "

#: The measures, as columns; `digits` after the point.
SPEED = "events/s"
MEASURES = {
    SPEED: 0,
    "events/s of processor time": 0,
    "broker, % of a core": 0,
    "start, s": 1,
    "memory, MiB": 0,
    "events": 0,
    "rows wrong": 0,
}
SUMMARY = "in short"


def name(table: str, engine: str, measure: str) -> str:
    return BETWEEN.join((table, engine, measure))


def tables(figures: Mapping[str, float]) -> str:
    """Markdown: a table for each part, the summary first."""
    parts: dict[str, dict[str, dict[str, float]]] = {SUMMARY: {}}
    for key, value in figures.items():
        part, engine, measure = key.split(BETWEEN)
        parts.setdefault(part, {}).setdefault(engine, {})[measure] = value
    short = "".join(
        f"| {what} | {value:,.1f} |\n"
        for what, of in parts.pop(SUMMARY).items()
        for value in of.values()
    )
    head = f"| in short | times |\n|---|---:|\n{short}\n"
    return head + "\n".join(_part(part, engines) for part, engines in parts.items())


def _part(part: str, engines: Mapping[str, Mapping[str, float]]) -> str:
    columns = " | ".join(MEASURES)
    lines = [f"| {part} | {columns} |", "|---|" + "---:|" * len(MEASURES)]
    for engine, found in engines.items():
        cells = [
            f"{found[measure]:,.{digits}f}" if measure in found else "–"
            for measure, digits in MEASURES.items()
        ]
        lines.append(f"| {engine} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
