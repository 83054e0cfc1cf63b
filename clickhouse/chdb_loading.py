"""Loading chdb with no more than the engine.

chdb imports pyarrow, and numpy with it, where they are installed (its wheel requires them), only
for answers in Arrow's format: 35 MB that nobody here uses.
"""

import importlib
import sys


def load_engine() -> None:
    """Import chdb as if pyarrow were absent; its functions for Arrow then say that it is.

    For the rest of the process pyarrow can be imported as ever. Not while another thread imports
    it.
    """
    if "chdb" in sys.modules or "pyarrow" in sys.modules:
        return
    # None makes the import raise ModuleNotFoundError, which chdb is written for.
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("chdb")
    finally:
        del sys.modules["pyarrow"]
