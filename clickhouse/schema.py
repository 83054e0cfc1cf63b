"""Which migrations there are to apply, and the table that remembers those applied."""

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
    """What is left to apply. A statement may run twice: a crash can come before the ledger."""
    return [migration for migration in migrations() if migration.name not in applied]


def check_tables(found: Collection[str], place: str) -> None:
    """After the migrations. Raises HistoryDamaged where one has made what is not there."""
    missing = [name for name in made() if name not in found]
    if missing:
        raise HistoryDamaged(
            f"history {place} is damaged: it has no table {', '.join(missing)}: restore it from a "
            "backup, or run `analyticbot rebuild history`"
        )
