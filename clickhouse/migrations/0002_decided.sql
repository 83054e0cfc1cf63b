-- What the agents decided, as the topics analytics.* told it: every row is an upsert.

-- The newest that is known of a channel.
CREATE TABLE IF NOT EXISTS channels
(
    channel_id Int64,
    username Nullable(String),
    title Nullable(String),
    subscribers Nullable(Int64),
    first_observed_at Nullable(DateTime64(3, 'UTC')),
    last_post_at Nullable(DateTime64(3, 'UTC')),
    last_sample_at Nullable(DateTime64(3, 'UTC')),
    status LowCardinality(String),
    observed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY channel_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What a channel gained in one minute. `version` grows with the newest observation and with the
-- closing; `batch` names the insertion, so that an interrupted one can be repeated as it was.
CREATE TABLE IF NOT EXISTS windows
(
    channel_id Int64,
    start DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    views_gained Nullable(Int64),
    forwards_gained Nullable(Int64),
    replies_gained Nullable(Int64),
    reactions_gained Nullable(Int64),
    posts Int64,
    edits Int64,
    deletes Int64,
    samples Int64,
    closed Bool,
    observed_at DateTime64(3, 'UTC'),
    version UInt64,
    batch UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (channel_id, start)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- A post's counters at the fixed ages.
CREATE TABLE IF NOT EXISTS post_ages
(
    channel_id Int64,
    post_id Int64,
    age_s Int64,
    views Nullable(Int64),
    forwards Nullable(Int64),
    replies Nullable(Int64),
    reactions Nullable(Int64),
    interpolated Bool,
    observed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id, age_s)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS alerts
(
    alert_id String,
    channel_id Int64,
    type LowCardinality(String),
    state LowCardinality(String),
    raised_at DateTime64(3, 'UTC'),
    resolved_at Nullable(DateTime64(3, 'UTC')),
    post_id Nullable(Int64),
    observed Float64,
    expected Nullable(Float64),
    method LowCardinality(String),
    observed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY alert_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
