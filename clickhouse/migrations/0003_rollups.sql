-- Roll-ups, kept for good. Each table has a deduplication window of its own: without it a repeated
-- token is dropped in the source table and counted twice here.
--
-- "Newest" numbers are packed: the instant in the upper 64 bits, the number in the lower 64. So max
-- is "the newest, and of one instant the highest", cheap to merge and the same in every order.

-- The last counters of a post in each hour.
CREATE TABLE IF NOT EXISTS post_hourly
(
    channel_id Int64,
    post_id Int64,
    hour DateTime('UTC'),
    source LowCardinality(String),
    views SimpleAggregateFunction(max, Nullable(Int128)),
    forwards SimpleAggregateFunction(max, Nullable(Int128)),
    replies SimpleAggregateFunction(max, Nullable(Int128)),
    reactions SimpleAggregateFunction(max, Nullable(Int128)),
    observed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, post_id, hour, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS post_hourly_filled TO post_hourly AS
WITH bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant
SELECT
    s.channel_id AS channel_id,
    s.post_id AS post_id,
    toStartOfHour(s.observed_at) AS hour,
    s.source AS source,
    instant + s.views AS views,
    instant + s.forwards AS forwards,
    instant + s.replies AS replies,
    instant + s.reactions AS reactions,
    s.observed_at AS observed_at
FROM post_samples AS s;

-- Subscribers of a channel in each hour: first and last (packed), lowest and highest.
CREATE TABLE IF NOT EXISTS subscribers_hourly
(
    channel_id Int64,
    hour DateTime('UTC'),
    source LowCardinality(String),
    first SimpleAggregateFunction(min, Int128),
    last SimpleAggregateFunction(max, Int128),
    low SimpleAggregateFunction(min, Int64),
    high SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS subscribers_hourly_filled TO subscribers_hourly AS
WITH bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant
SELECT
    s.channel_id AS channel_id,
    toStartOfHour(s.observed_at) AS hour,
    s.source AS source,
    instant + s.subscribers AS first,
    instant + s.subscribers AS last,
    s.subscribers AS low,
    s.subscribers AS high
FROM subscriber_samples AS s;

CREATE TABLE IF NOT EXISTS subscribers_daily
(
    channel_id Int64,
    day DateTime('UTC'),
    source LowCardinality(String),
    first SimpleAggregateFunction(min, Int128),
    last SimpleAggregateFunction(max, Int128),
    low SimpleAggregateFunction(min, Int64),
    high SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, day, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS subscribers_daily_filled TO subscribers_daily AS
WITH bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant
SELECT
    s.channel_id AS channel_id,
    toDateTime(toStartOfDay(s.observed_at), 'UTC') AS day,
    s.source AS source,
    instant + s.subscribers AS first,
    instant + s.subscribers AS last,
    s.subscribers AS low,
    s.subscribers AS high
FROM subscriber_samples AS s;

-- What a channel gained in each hour and day, of closed windows only. A closed window must enter
-- once; the writer sees to that (agents/history_marks.py).
CREATE TABLE IF NOT EXISTS channel_hourly
(
    channel_id Int64,
    hour DateTime('UTC'),
    views_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    forwards_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    replies_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    reactions_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    posts SimpleAggregateFunction(sum, Int64),
    edits SimpleAggregateFunction(sum, Int64),
    deletes SimpleAggregateFunction(sum, Int64),
    samples SimpleAggregateFunction(sum, Int64),
    observed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS channel_hourly_filled TO channel_hourly AS
SELECT
    w.channel_id AS channel_id,
    toStartOfHour(w.start) AS hour,
    w.views_gained AS views_gained,
    w.forwards_gained AS forwards_gained,
    w.replies_gained AS replies_gained,
    w.reactions_gained AS reactions_gained,
    w.posts AS posts,
    w.edits AS edits,
    w.deletes AS deletes,
    w.samples AS samples,
    w.observed_at AS observed_at
FROM windows AS w
WHERE w.closed;

CREATE TABLE IF NOT EXISTS channel_daily
(
    channel_id Int64,
    day DateTime('UTC'),
    views_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    forwards_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    replies_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    reactions_gained SimpleAggregateFunction(sum, Nullable(Int64)),
    posts SimpleAggregateFunction(sum, Int64),
    edits SimpleAggregateFunction(sum, Int64),
    deletes SimpleAggregateFunction(sum, Int64),
    samples SimpleAggregateFunction(sum, Int64),
    observed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, day)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS channel_daily_filled TO channel_daily AS
SELECT
    w.channel_id AS channel_id,
    toStartOfDay(w.start) AS day,
    w.views_gained AS views_gained,
    w.forwards_gained AS forwards_gained,
    w.replies_gained AS replies_gained,
    w.reactions_gained AS reactions_gained,
    w.posts AS posts,
    w.edits AS edits,
    w.deletes AS deletes,
    w.samples AS samples,
    w.observed_at AS observed_at
FROM windows AS w
WHERE w.closed;

-- Between which instants a source observed a channel.
CREATE TABLE IF NOT EXISTS channel_sources
(
    channel_id Int64,
    source LowCardinality(String),
    first_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS channel_sources_filled TO channel_sources AS
SELECT o.channel_id AS channel_id, o.source AS source, o.first_at AS first_at, o.last_at AS last_at
FROM observed_hours AS o
