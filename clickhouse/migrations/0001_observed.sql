-- What was observed of channels, row by row, as the messages of telegram.updates told it.
-- Every table is idempotent twice over: a token repeated within the last 1000 blocks is dropped at
-- insertion, and rows of the same key merge to one, so that replaying a recording changes nothing.

-- A post as it stood when it was last observed.
CREATE TABLE IF NOT EXISTS posts
(
    channel_id Int64,
    post_id Int64,
    date DateTime64(3, 'UTC'),
    text String CODEC(ZSTD(3)),
    media LowCardinality(Nullable(String)),
    album_id Nullable(Int64),
    forwarded_from Nullable(String),
    edited Bool,
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC'),
    INDEX by_date date TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- That a post was found deleted. It is deleted as long as nothing observed later shows it again.
CREATE TABLE IF NOT EXISTS post_deletions
(
    channel_id Int64,
    post_id Int64,
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The counters of a post at one instant. Two samples of one instant and source merge to the known,
-- highest numbers. Kept for 90 days after they were *stored*: event time would delete a recording
-- of 2021 on arrival. What is kept for good is post_hourly.
CREATE TABLE IF NOT EXISTS post_samples
(
    channel_id Int64,
    post_id Int64,
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source LowCardinality(String),
    views SimpleAggregateFunction(max, Nullable(Int64)),
    forwards SimpleAggregateFunction(max, Nullable(Int64)),
    replies SimpleAggregateFunction(max, Nullable(Int64)),
    reactions SimpleAggregateFunction(max, Nullable(Int64)),
    inserted_at SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now()
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(observed_at)
ORDER BY (channel_id, post_id, observed_at, source)
TTL inserted_at + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The subscribers of a channel at one instant; few rows, kept for good.
CREATE TABLE IF NOT EXISTS subscriber_samples
(
    channel_id Int64,
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    source LowCardinality(String),
    subscribers SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, observed_at, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Who observed what of a channel in which hour. `what`: posts, counters, subscribers, channel.
CREATE TABLE IF NOT EXISTS observed_hours
(
    channel_id Int64,
    hour DateTime('UTC'),
    what LowCardinality(String),
    source LowCardinality(String),
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour, what, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
