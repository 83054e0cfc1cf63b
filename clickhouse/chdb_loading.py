"""Loading chdb with no more than the engine.

chdb's wheel requires pyarrow and pandas, so they are installed; chdb imports the one, and
clickhouse-connect the other with its first insertion, in case somebody wants tables of theirs.
Nobody here does, and they and numpy take 70 MB and most of a second.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver import options

#: Both libraries can do without any of them.
_OPTIONAL = ("numpy", "pandas", "polars", "pyarrow")


def load_engine() -> None:
    """Import chdb, and let clickhouse-connect look for its optional libraries, as if there were
    none. Whoever needs them in this process can import them as ever.

    Not while another thread imports one of them.
    """
    if "chdb" in sys.modules:
        return
    with _absent(_OPTIONAL):
        importlib.import_module("chdb")
        # Of the two wheels that hold the package, one loads this part only with a connection.
        importlib.import_module("chdb.state")
        # Each is looked for once, when it is first asked for.
        for found in ("np", "pd", "pl", "arrow"):
            getattr(options, found)


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Importing one that is not loaded already raises ModuleNotFoundError."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
