-- Messages that history keeps whole: of kinds that decisions declare without a table of their own.

-- The newest message of each upsert key, as JSON. `version` grows with what a message rests on.
CREATE TABLE IF NOT EXISTS messages
(
    kind LowCardinality(String),
    channel_id Int64,
    key String,
    body String CODEC(ZSTD(3)),
    observed_at DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, channel_id, key)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
