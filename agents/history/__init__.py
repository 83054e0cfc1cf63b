"""Writes what flows through the log into ClickHouse."""
