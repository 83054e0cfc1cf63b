"""What more decisions cost: `python -m bench decisions [--decisions 12] [--repeats 3]`.

Bias and setup: the pipeline of bench.pipeline on an embedded log, alone, then with so many
decisions more on analytics.windows, which take every activity window: `idle` ones do nothing with
it, `counting` ones keep a row per channel, which is read, changed, encoded and put into a changelog
each time. The variants run one after the other in one process, each on a log of its own, as often
as `--repeats` says; the figure of each is its best, by processor time. Real decisions do more with
a window than these, and then the engine's part of their cost is smaller.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Ports, Table
from agents.engine.step_context import StepContext
from bench.pipeline import PARTITIONS, Setting, fill, pipeline
from streams import topics
from streams.analytics import ActivityWindow
from streams.context import Task
from streams.log import Record
from streams.opening import open_log
from tables.rows import Row


class Count(Row):
    windows: int = 0
    views: int = 0


def count(row: Count, window: ActivityWindow, context: StepContext) -> Sequence[Any]:
    if context.offset > row.last_offset:
        row.last_offset = context.offset
        row.windows += 1
        row.views += window.views_gained or 0
    return ()


class Idle:
    """Implements Handler."""

    def __init__(self, decision: Decision, ports: Ports) -> None:
        """Nothing is kept."""

    def fold(self, task: Task, record: Record, message: Any) -> None:
        """Nothing."""

    def measure(self, record: Record) -> None:
        """Nothing."""


def idle(number: int) -> Decision:
    return _decision(f"idle-{number}", (), Idle)


def counting(number: int) -> Decision:
    name = f"counting-{number}"
    return _decision(name, (Table(name, Count),), OneRow)


def _decision(
    name: str, tables: tuple[Table, ...], handler: Callable[[Decision, Ports], Any]
) -> Decision:
    return Decision(
        name=name,
        reads=(topics.WINDOWS,),
        kinds=(ActivityWindow,),
        steps=(count,),
        tables=tables,
        sends=(topics.SCORES,),
        handler=handler,
    )


async def speed(more: Sequence[Decision], channels: int, rounds: int) -> float:
    """Samples per processor second, until windows and alerts are done as well."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"embedded://{folder}/log"
        log = await open_log(url)
        for topic in topics.ALL:
            await log.create(topic, PARTITIONS)
        samples = await fill(log, channels, rounds)
        setting = Setting(
            url=url,
            broker_pid=None,
            folder=Path(folder),
            channels=channels,
            rounds=rounds,
            history=False,
        )
        gc.collect()
        found = await pipeline(log, setting, samples, more)
        await log.close()
        return found["updates_and_spikes"].cpu


async def measure(decisions: int, repeats: int, channels: int, rounds: int) -> Mapping[str, float]:
    variants: dict[str, list[Decision]] = {
        "none": [],
        "idle": [idle(number) for number in range(decisions)],
        "counting": [counting(number) for number in range(decisions)],
    }
    best = dict.fromkeys(variants, 0.0)
    for _ in range(repeats):
        for name, more in variants.items():
            best[name] = max(best[name], await speed(more, channels, rounds))
    figures: dict[str, float] = {
        f"{name}_samples_per_cpu_s": round(each) for name, each in best.items()
    }
    for name in ("idle", "counting"):
        figures[f"{name}_below_none_percent"] = round(100 * (1 - best[name] / best["none"]), 1)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.decisions")
    parser.add_argument("--decisions", type=int, default=12, help="how many more")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=6, help="frames a channel")
    chosen = parser.parse_args()
    # What the process sets at its start: its rows are many objects that live long.
    gc.set_threshold(50_000, 20, 50)
    found = asyncio.run(measure(chosen.decisions, chosen.repeats, chosen.channels, chosen.rounds))
    for name, figure in found.items():
        sys.stdout.write(f"{name:45} {figure:>15,}\n")


if __name__ == "__main__":
    main()
