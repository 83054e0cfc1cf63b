"""Loads chdb without the optional libraries.

chdb's wheel requires pyarrow and pandas, so they are installed. chdb imports the one on loading,
clickhouse-connect the other with its first insertion, to support their tables. This program does
not use those; with numpy they cost 70 MB and most of a second.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver import options

#: Both libraries work without any of these.
_OPTIONAL = ("numpy", "pandas", "polars", "pyarrow")


def load_engine() -> None:
    """Import chdb, and have clickhouse-connect look for its optional libraries, as if none existed.

    Other modules of this process can import these libraries as usual. Blocks. Must not run while
    another thread imports one of them.
    """
    if "chdb" in sys.modules:
        return
    with _absent(_OPTIONAL):
        importlib.import_module("chdb")
        # Two wheels contain the package; one of them loads this module only with a connection.
        importlib.import_module("chdb.state")
        # clickhouse-connect looks for each library once, on first access.
        for found in ("np", "pd", "pl", "arrow"):
            getattr(options, found)


@contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Importing one of `names` raises ModuleNotFoundError unless it is already loaded."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
