-- How far the log is in history, so that a history that was lost, or restored from a backup, is found
-- behind the log by its reader (agents/history_held.py).

-- The next offset of each partition that is not in history yet. The newest `version` counts, because a
-- log that was replaced begins at 0 again.
CREATE TABLE IF NOT EXISTS positions
(
    topic LowCardinality(String),
    partition UInt32,
    next Int64,
    version UInt64,
    stored_at DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- A history that was filled before there were positions holds what its reader has committed.
INSERT INTO positions (topic, partition, next, version) SELECT '*', 0, 0, 0 FROM channels LIMIT 1;

-- Messages that the log had removed before they were stored: [first, next) of a partition, all of them
-- older than `before`.
CREATE TABLE IF NOT EXISTS removed_unread
(
    topic LowCardinality(String),
    partition UInt32,
    first Int64,
    next Int64,
    before DateTime64(3, 'UTC'),
    found_at DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, first, next)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
