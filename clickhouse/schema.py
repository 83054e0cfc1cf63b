"""The migrations to apply, and the ledger: the table of the applied ones."""

from collections.abc import Collection, Sequence

from clickhouse.history import HistoryDamaged
from clickhouse.statements import Migration, made, migrations

CREATE_LEDGER = (
    "CREATE TABLE IF NOT EXISTS schema_migrations"
    " (name String, applied_at DateTime('UTC') DEFAULT now())"
    " ENGINE = ReplacingMergeTree ORDER BY name"
)
READ_LEDGER = "SELECT DISTINCT name FROM schema_migrations"
WRITE_LEDGER = "INSERT INTO schema_migrations (name) VALUES ({name:String})"


def pending(applied: Collection[str]) -> Sequence[Migration]:
    """The migrations not yet applied. A crash before the ledger's entry makes one run again."""
    return [migration for migration in migrations() if migration.name not in applied]


def check_tables(found: Collection[str], place: str) -> None:
    """Called after the migrations. Raises HistoryDamaged if one of their tables is missing."""
    missing = [name for name in made() if name not in found]
    if missing:
        raise HistoryDamaged(
            f"history {place} is damaged: it has no table {', '.join(missing)}: restore it from a "
            "backup, or run `analyticbot rebuild history`"
        )
