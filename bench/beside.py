"""The pipeline of this tree beside that of another: `python -m bench beside --other FOLDER`.

Bias and setup: bench.pipeline of both trees, each a worktree with a .venv of its own, in turns and
in short rounds, the one first and then the other; so what else the machine does meets both. Samples
per processor second until windows, alerts and, with --history, history are done; the figure is the
median of the pairs' ratios, this tree's to the other's, and their spread. On a machine that is busy
with other work both have less of the processors' caches, which is to the disadvantage of the one
that has less else to wait for.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent


def speed(tree: Path, arguments: Sequence[str]) -> float:
    """Samples per processor second, of all that was asked for."""
    command = [str(tree / ".venv/bin/python"), "-m", "bench.pipeline", *arguments]
    ended = subprocess.run(command, cwd=tree, stdout=subprocess.PIPE, text=True, check=True)
    name = "with_history" if "--history" in arguments else "updates_and_spikes"
    [found] = re.findall(rf"^{name}_samples_per_cpu_s\s+([\d,]+)$", ended.stdout, re.MULTILINE)
    return float(found.replace(",", ""))


def pair(number: int, other: Path, arguments: Sequence[str]) -> tuple[float, float]:
    """This tree's speed, and the other's; which comes first changes from pair to pair."""
    if number % 2:
        return speed(ROOT, arguments), speed(other, arguments)
    theirs = speed(other, arguments)
    return speed(ROOT, arguments), theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.beside")
    parser.add_argument("--other", type=Path, required=True, help="the other tree")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=10, help="frames a channel")
    parser.add_argument("--kafka", action="store_true", help="on a broker, a new one each time")
    parser.add_argument("--history", action="store_true", help="store in chDB as well")
    chosen = parser.parse_args()
    arguments = ["--rounds", str(chosen.rounds)]
    arguments += [f"--{name}" for name in ("kafka", "history") if getattr(chosen, name)]
    pairs = []
    for number in range(chosen.pairs):
        pairs.append(pair(number, chosen.other, arguments))
        sys.stderr.write(f"  {pairs[-1][0]:,.0f} to {pairs[-1][1]:,.0f}\n")
    ratios = [ours / theirs for ours, theirs in pairs]
    figures = {
        "this_samples_per_cpu_s": median(ours for ours, _ in pairs),
        "other_samples_per_cpu_s": median(theirs for _, theirs in pairs),
        "ratio_median_percent": 100 * median(ratios),
        "ratio_lowest_percent": 100 * min(ratios),
        "ratio_highest_percent": 100 * max(ratios),
        "pairs": len(pairs),
    }
    for name, figure in figures.items():
        sys.stdout.write(f"{name:45} {figure:>15,.0f}\n")


if __name__ == "__main__":
    main()
