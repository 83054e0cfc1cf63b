"""The memory settings of this process. Figures: docs/benchmarks."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Allocations before a collection of the youngest generation, then the ratios for the older ones.
#: Most objects live for one message or forever, and hardly any is part of a cycle.
THRESHOLDS = (50_000, 20, 50)
#: Options of glibc's mallopt (malloc.h) and their values: two arenas, and large blocks return to
#: the system. By default each of forty threads may have its own arena, which retains freed memory,
#: and freeing one large block keeps all later blocks up to its size in the heap.
MALLOC_OPTIONS = ((-8, 2), (-3, 128 << 10), (-1, 128 << 10))


def tune_memory() -> None:
    """Called once per process, before it loads the libraries."""
    gc.set_threshold(*THRESHOLDS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for number, value in MALLOC_OPTIONS:
            mallopt(number, value)


@contextmanager
def loaded_for_good() -> Iterator[None]:
    """Exempts the present objects from garbage collection within the block.

    The libraries have 200,000 objects; a full collection would stop everything for a fifth of a
    second.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
