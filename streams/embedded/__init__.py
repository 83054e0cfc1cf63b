"""The embedded log: one RocksDB, in process.

Read in this order: rows (what is stored), store (opening it, finding damage), writer (the thread
that makes records durable), engine (offsets, visibility, readers), log (the port streams.log.Log),
retention and compaction.
"""
