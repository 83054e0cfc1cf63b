"""The embedded log: one RocksDB database in the process.

Read in this order: rows (the stored layout), store (opening, detecting damage), writer (the thread
that makes records durable), engine (offsets, visibility, readers), log (the port streams.log.Log),
retention and compaction.
"""
