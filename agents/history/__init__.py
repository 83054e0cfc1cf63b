"""Stores the records of the log in ClickHouse."""
