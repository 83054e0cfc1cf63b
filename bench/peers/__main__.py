"""Runs all engines in turns: fills topics, races, prints figures."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

import msgspec

import bench.peers
from bench.broker import Broker, open_broker
from bench.peers.figures import figures_of
from bench.peers.filling import Filled, fill
from bench.peers.race import PEERS, Engine, Run, race
from bench.peers.world import Numbers, World

ENGINES = (
    Engine("raw loop", "raw", framed=4_000_000, single=400_000, blind=True),
    Engine("raw loop and a dictionary", "raw", framed=2_000_000, single=400_000, variant="dict"),
    Engine("Faust as documented", "faust", framed=40_000, single=20_000),
    Engine("Quix Streams", "quix", framed=400_000, single=200_000, foreign=True),
    Engine("bytewax, no recovery", "bytewax", framed=1_000_000, single=400_000, foreign=True),
    Engine(
        "bytewax", "bytewax", framed=1_000_000, single=400_000, foreign=True, variant="recovery"
    ),
    Engine("ours", "ours", framed=4_000_000, single=400_000),
)


class Course(msgspec.Struct, frozen=True):
    """One table."""

    name: str
    channels: int
    framed: bool
    #: Of the events that engines fold otherwise.
    share: float = 1.0


COURSES = (
    Course("1,000 channels, frames", 1_000, framed=True),
    Course("100,000 channels, frames", 100_000, framed=True, share=0.5),
    Course("1,000 channels, a message an event", 1_000, framed=False),
)


class Lane(msgspec.Struct, frozen=True):
    """An engine on a topic of a course."""

    engine: Engine
    filled: Filled
    truth: Numbers


def lanes(course: Course, engines: Sequence[Engine], servers: str) -> list[Lane]:
    """Fills the topics: one for each length, shared by the engines that fold as much."""
    made: dict[int, tuple[Filled, Numbers]] = {}
    found = []
    for engine in engines:
        events = int(course.share * (engine.framed if course.framed else engine.single))
        if events not in made:
            topic = asyncio.run(fill(servers, course.channels, events, framed=course.framed))
            made[events] = topic, World(course.channels, events).truth()
        found.append(Lane(engine, *made[events]))
    return found


def race_all(
    broker: Broker, engines: Sequence[Engine], rounds: int
) -> dict[str, dict[str, list[Run]]]:
    courses = {course.name: lanes(course, engines, broker.servers) for course in COURSES}
    # The broker's code is compiled while it runs; nobody is to pay for that.
    for course in courses.values():
        race(course[0].engine, course[0].filled, course[0].truth, broker.servers, broker.pid)
    runs: dict[str, dict[str, list[Run]]] = {}
    for number in range(rounds):
        for name, course in courses.items():
            for lane in course if number % 2 == 0 else reversed(course):
                run = race(lane.engine, lane.filled, lane.truth, broker.servers, broker.pid)
                runs.setdefault(name, {}).setdefault(lane.engine.name, []).append(run)
                _tell(name, lane.engine, run)
    order = [engine.name for engine in engines]
    return {name: {each: of[each] for each in order} for name, of in runs.items()}


def _tell(course: str, engine: Engine, run: Run) -> None:
    """One run, for who watches; figures go to standard output."""
    speed = run.events / run.time.wall_s
    wrong = f", {run.wrong} rows wrong" if run.wrong else ""
    sys.stderr.write(f"  {course}: {engine.name}: {speed:,.0f} events/s{wrong}\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=bench.peers.__doc__,
        prog="python -m bench.peers",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="MODULE", help="raw, faust, quix, …")
    chosen = parser.parse_args()
    logging.disable(logging.ERROR)
    engines = [each for each in ENGINES if not chosen.only or each.module in chosen.only]
    if any(each.foreign for each in engines) and not PEERS.exists():
        parser.error("the peers are not installed: `make bench ARGS=peers` does, and runs this")
    with open_broker() as broker:
        figures = figures_of(race_all(broker, engines, chosen.rounds))
    for figure, value in figures.items():
        sys.stdout.write(f"{figure:90} {value:>15,.2f}\n")


if __name__ == "__main__":
    main()
