"""How this process treats its memory. Figures: docs/benchmarks."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Objects allocated before the youngest generation is looked through; then how often the older
#: ones are. Most objects here live for one message or for good, and hardly any is part of a cycle.
THRESHOLDS = (50_000, 20, 50)


def tune_memory() -> None:
    """Called once a process, before the libraries are loaded."""
    gc.set_threshold(*THRESHOLDS)


@contextmanager
def loaded_for_good() -> Iterator[None]:
    """Spare the collector what exists now: 200,000 objects of libraries, a fifth of a second in
    which nothing else would run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
