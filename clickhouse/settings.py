"""The settings of every insertion, on every kind of ClickHouse."""

from collections.abc import Mapping

from clickhouse.history import Insert


def insert_settings(insert: Insert) -> Mapping[str, str | int]:
    return {
        "insert_deduplication_token": insert.token,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "max_partitions_per_insert_block": 0,
        "max_threads": 1,
        "max_insert_threads": 1,
    }
