"""What the runs of all engines come to."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.peers.race import Run
from bench.peers.table import BETWEEN, MEASURES, SPEED, SUMMARY, name

Figures = dict[str, float]
#: By table, then by engine.
Runs = Mapping[str, Mapping[str, Sequence[Run]]]

OURS = "ours"


def figures_of(runs: Runs) -> Figures:
    found = {
        name(table, engine, measure): value
        for table, engines in runs.items()
        for engine, each in engines.items()
        for measure, value in _measures(each).items()
    }
    return _summary(found, list(runs)) | found


def _measures(runs: Sequence[Run]) -> Figures:
    wrong = sum(run.wrong for run in runs)
    times = [run.time for run in runs]
    values = (
        median(run.events / run.time.wall_s for run in runs),
        median(run.events / run.time.cpu_s for run in runs),
        median(100 * time.broker_cpu_s / time.wall_s for time in times),
        median(time.start_s for time in times),
        median(time.memory_mib for time in times),
        runs[0].events,
        wrong,
    )
    measured = dict(zip(MEASURES, values, strict=True))
    return measured if not wrong else {"rows wrong": wrong}


def _summary(found: Figures, tables: Sequence[str]) -> Figures:
    """How many times as fast ours is as each peer, and what a hundred times the channels cost."""
    engines = list(dict.fromkeys(key.split(BETWEEN)[1] for key in found))
    summary: Figures = {}

    def put(what: str, over: float | None, under: float | None) -> None:
        if over and under:
            summary[name(SUMMARY, what, "times")] = over / under

    for engine in engines if OURS in engines else []:
        if engine != OURS:
            for table in tables:
                put(f"ours to {engine}: {table}", *_speeds(found, (table, OURS), (table, engine)))
    few, many, *_ = tables
    for engine in engines:
        speeds = _speeds(found, (few, engine), (many, engine))
        put(f"time an event, {many} to {few}: {engine}", *speeds)
    return summary


def _speeds(found: Figures, *whose: tuple[str, str]) -> list[float | None]:
    return [found.get(name(table, engine, SPEED)) for table, engine in whose]
