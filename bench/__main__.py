"""All measurements in one run: `python -m bench` (half an hour), or `python -m bench NAME…`.

An hour's soak on Kafka is not among them, nor what needs another tree: those have to be named.
Options after a single name are its own: `python -m bench soak-kafka --seconds 600`. Each runs in a
process of its own, one after the other. Results go to docs/benchmarks/results.jsonl, a line a run
with commit, machine and figures, and the newest of each to docs/benchmarks/README.md.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import soak

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "benchmarks"
RESULTS = FOLDER / "results.jsonl"

#: What is run: its module, and its arguments.
RUNS: dict[str, list[str]] = {
    "log": ["log"],
    "pipeline": ["pipeline", "--history"],
    "decisions": ["decisions"],
    "push": ["push"],
    "push-kafka": ["push", "--kafka"],
    "live": ["live"],
    "loopback": ["loopback"],
    "soak": ["soak"],
    "peers": ["peers"],
    "pipeline-kafka": ["pipeline", "--kafka", "--history"],
    "workers": ["workers"],
    "recovery": ["recovery"],
    "soak-kafka": ["soak_kafka"],
    "beside": ["beside"],
    "beside-history": ["beside", "--history"],
    "beside-kafka": ["beside", "--kafka"],
}
#: Run only when they are named.
NAMED = {"soak-kafka", "beside", "beside-history", "beside-kafka"}
#: Figures that are drawn as a curve of memory.
CURVES = {"soak": "memory.svg", "soak-kafka": "memory-kafka.svg"}


class Result(msgspec.Struct):
    """One run of one measurement."""

    name: str
    at: str
    commit: str
    machine: str
    arguments: list[str]
    figures: dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)}")
    given = sys.argv[1:]
    end = next((n for n, each in enumerate(given) if each.startswith("-")), len(given))
    options = [each for each in given[end:] if each not in ("-h", "--help")]
    asked = given[:end] + [each for each in given[end:] if each not in options]
    names = parser.parse_args(asked).names or [name for name in RUNS if name not in NAMED]
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"no measurement is called {unknown[0]}")
    if options and len(names) != 1:
        parser.error("options belong to one measurement: name it")
    failed = []
    for name in names:
        print(f"{name} …", flush=True)
        try:
            result = _run(name, options or RUNS[name][1:])
        except subprocess.CalledProcessError:
            failed.append(name)
            continue
        with RESULTS.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")
        for figure, value in result.figures.items():
            print(f"  {figure:45} {value:>15,.1f}")
    (FOLDER / "README.md").write_text(_page())
    if failed:
        print(f"failed, and so not in the results: {', '.join(failed)}")
    return 1 if failed else 0


def _run(name: str, arguments: list[str]) -> Result:
    command = [sys.executable, "-m", f"bench.{RUNS[name][0]}", *arguments]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Result(
        name=name,
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        commit=_commit(),
        machine=_machine(),
        arguments=arguments,
        figures=_figures(name, ended.stdout),
    )


def _figures(name: str, text: str) -> dict[str, float]:
    """Numbers by name: of a JSON object, or of lines `a name   1,234.5`."""
    if text.lstrip().startswith("{"):
        found = msgspec.json.decode(text)
        if name in CURVES:
            soak.draw(found["curve"], FOLDER / CURVES[name])
        return {key: value for key, value in found.items() if isinstance(value, int | float)}
    lines = re.findall(r"^(\S.*?)\s{2,}(-?[\d,.]+)$", text, re.MULTILINE)
    return {key: float(value.replace(",", "")) for key, value in lines}


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(
        asked, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def _machine() -> str:
    model = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[:1]
    name = model[0] if model else platform.processor()
    return f"{os.cpu_count()} × {name}, Python {platform.python_version()}, {platform.system()}"


def _page() -> str:
    results = [msgspec.json.decode(line, type=Result) for line in RESULTS.read_bytes().splitlines()]
    newest = {result.name: result for result in results}
    return "\n".join([_HEAD, *(_section(newest[name]) for name in RUNS if name in newest)])


def _section(result: Result) -> str:
    name = RUNS[result.name][0]
    module = __import__(f"bench.{name}", fromlist=["__doc__"])
    title, _, bias = (module.__doc__ or "").partition("\n\n")
    tables = getattr(module, "tables", _rows)(result.figures)
    curve = CURVES.get(result.name)
    picture = f"\n![Memory over the run]({curve})\n" if curve else ""
    where = ", on Kafka" if "--kafka" in result.arguments else ""
    return (
        f"## {title.split(':')[0].rstrip('.')}{where}\n\n"
        f"`{' '.join(('python -m bench.' + name, *result.arguments))}`\n\n"
        f"{bias.strip()}\n\n"
        f"{tables}{picture}\n"
        f"{result.at}, commit {result.commit}, on {result.machine}.\n"
    )


def _rows(figures: Mapping[str, float]) -> str:
    rows = "".join(f"| {name} | {value:,.1f} |\n" for name, value in figures.items())
    return f"| figure | value |\n|---|---:|\n{rows}"


_HEAD = """# Benchmarks

Written by `make bench`. The newest result of each measurement; all of them are in
[results.jsonl](results.jsonl). Absolute figures are the machine's; trust the ratios.
"""


if __name__ == "__main__":
    sys.exit(main())
