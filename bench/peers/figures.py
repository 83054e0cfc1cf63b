"""What the runs of all engines come to."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.peers.race import Run
from bench.peers.table import BETWEEN, MEASURES, SUMMARY, TIMES, name

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
    few, many, *_ = tables
    pairs = {
        f"ours to {engine}: {table}": ((table, OURS), (table, engine))
        for engine in engines
        if engine != OURS
        for table in tables
    } | {
        f"time an event, {many} to {few}: {engine}": ((few, engine), (many, engine))
        for engine in engines
    }
    return {
        name(SUMMARY, what, how): found[name(*over, speed)] / found[name(*under, speed)]
        for what, (over, under) in pairs.items()
        for how, speed in TIMES.items()
        if name(*over, speed) in found and name(*under, speed) in found
    }
