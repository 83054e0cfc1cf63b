"""The embedded log: one RocksDB, in process."""
