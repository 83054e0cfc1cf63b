"""How this process treats its memory. Figures: docs/benchmarks."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Objects allocated before the youngest generation is looked through; then how often the older
#: ones are. Most objects here live for one message or for good, and hardly any is part of a cycle.
THRESHOLDS = (50_000, 20, 50)
#: Of glibc's mallopt (malloc.h): number and value. By default each of forty threads may have an
#: arena of its own, which keeps what was freed in it, and one large block that is freed makes all
#: blocks up to its size stay in the heap from then on. So: two arenas, and large blocks go back.
MALLOC_OPTIONS = ((-8, 2), (-3, 128 << 10), (-1, 128 << 10))


def tune_memory() -> None:
    """Called once a process, before the libraries are loaded."""
    gc.set_threshold(*THRESHOLDS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for number, value in MALLOC_OPTIONS:
            mallopt(number, value)


@contextmanager
def loaded_for_good() -> Iterator[None]:
    """Spare the collector what exists now: 200,000 objects of libraries, a fifth of a second in
    which nothing else would run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
