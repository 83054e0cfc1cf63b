CREATE TABLE alerts
(
    `alert_id` String,
    `channel_id` Int64,
    `type` LowCardinality(String),
    `state` LowCardinality(String),
    `raised_at` DateTime64(3, 'UTC'),
    `resolved_at` Nullable(DateTime64(3, 'UTC')),
    `post_id` Nullable(Int64),
    `observed` Float64,
    `expected` Nullable(Float64),
    `method` LowCardinality(String),
    `observed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY alert_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE channel_daily
(
    `channel_id` Int64,
    `day` DateTime('UTC'),
    `views_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `forwards_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `replies_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `reactions_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `posts` SimpleAggregateFunction(sum, Int64),
    `edits` SimpleAggregateFunction(sum, Int64),
    `deletes` SimpleAggregateFunction(sum, Int64),
    `samples` SimpleAggregateFunction(sum, Int64),
    `observed_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, day)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW channel_daily_filled TO channel_daily
(
    `channel_id` Int64,
    `day` DateTime('UTC'),
    `views_gained` Nullable(Int64),
    `forwards_gained` Nullable(Int64),
    `replies_gained` Nullable(Int64),
    `reactions_gained` Nullable(Int64),
    `posts` Int64,
    `edits` Int64,
    `deletes` Int64,
    `samples` Int64,
    `observed_at` DateTime64(3, 'UTC')
)
AS SELECT
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
WHERE w.closed AND (NOT w.recomputed);

CREATE TABLE channel_hourly
(
    `channel_id` Int64,
    `hour` DateTime('UTC'),
    `views_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `forwards_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `replies_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `reactions_gained` SimpleAggregateFunction(sum, Nullable(Int64)),
    `posts` SimpleAggregateFunction(sum, Int64),
    `edits` SimpleAggregateFunction(sum, Int64),
    `deletes` SimpleAggregateFunction(sum, Int64),
    `samples` SimpleAggregateFunction(sum, Int64),
    `observed_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW channel_hourly_filled TO channel_hourly
(
    `channel_id` Int64,
    `hour` DateTime('UTC'),
    `views_gained` Nullable(Int64),
    `forwards_gained` Nullable(Int64),
    `replies_gained` Nullable(Int64),
    `reactions_gained` Nullable(Int64),
    `posts` Int64,
    `edits` Int64,
    `deletes` Int64,
    `samples` Int64,
    `observed_at` DateTime64(3, 'UTC')
)
AS SELECT
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
WHERE w.closed AND (NOT w.recomputed);

CREATE TABLE channel_sources
(
    `channel_id` Int64,
    `source` LowCardinality(String),
    `first_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW channel_sources_filled TO channel_sources
(
    `channel_id` Int64,
    `source` LowCardinality(String),
    `first_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
AS SELECT
    o.channel_id AS channel_id,
    o.source AS source,
    o.first_at AS first_at,
    o.last_at AS last_at
FROM observed_hours AS o;

CREATE TABLE channels
(
    `channel_id` Int64,
    `username` Nullable(String),
    `title` Nullable(String),
    `subscribers` Nullable(Int64),
    `first_observed_at` Nullable(DateTime64(3, 'UTC')),
    `last_post_at` Nullable(DateTime64(3, 'UTC')),
    `last_sample_at` Nullable(DateTime64(3, 'UTC')),
    `status` LowCardinality(String),
    `observed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY channel_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE late_samples
(
    `channel_id` Int64,
    `offset` Int64,
    `from_at` DateTime64(3, 'UTC'),
    `to_at` DateTime64(3, 'UTC'),
    `samples` Int64,
    `observed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE messages
(
    `kind` LowCardinality(String),
    `channel_id` Int64,
    `key` String,
    `body` String CODEC(ZSTD(3)),
    `observed_at` DateTime64(3, 'UTC'),
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, channel_id, key)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE observed_hours
(
    `channel_id` Int64,
    `hour` DateTime('UTC'),
    `what` LowCardinality(String),
    `source` LowCardinality(String),
    `first_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour, what, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE positions
(
    `topic` LowCardinality(String),
    `partition` UInt32,
    `next` Int64,
    `version` UInt64,
    `stored_at` DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE post_ages
(
    `channel_id` Int64,
    `post_id` Int64,
    `age_s` Int64,
    `views` Nullable(Float64),
    `forwards` Nullable(Float64),
    `replies` Nullable(Float64),
    `reactions` Nullable(Float64),
    `interpolated` Bool,
    `observed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id, age_s)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE post_deletions
(
    `channel_id` Int64,
    `post_id` Int64,
    `source` LowCardinality(String),
    `observed_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE post_hourly
(
    `channel_id` Int64,
    `post_id` Int64,
    `hour` DateTime('UTC'),
    `source` LowCardinality(String),
    `views` SimpleAggregateFunction(max, Nullable(Int128)),
    `forwards` SimpleAggregateFunction(max, Nullable(Int128)),
    `replies` SimpleAggregateFunction(max, Nullable(Int128)),
    `reactions` SimpleAggregateFunction(max, Nullable(Int128)),
    `observed_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `rated_views` SimpleAggregateFunction(max, Nullable(Int128)),
    `rated_answers` SimpleAggregateFunction(max, Nullable(Int128))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, post_id, hour, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW post_hourly_filled TO post_hourly
(
    `channel_id` Int64,
    `post_id` Int64,
    `hour` DateTime('UTC'),
    `source` LowCardinality(String),
    `views` Nullable(Int128),
    `forwards` Nullable(Int128),
    `replies` Nullable(Int128),
    `reactions` Nullable(Int128),
    `observed_at` DateTime64(3, 'UTC'),
    `rated_views` Nullable(Int128),
    `rated_answers` Nullable(Int128)
)
AS WITH
    bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant,
    (s.forwards + s.replies) + s.reactions AS answers
SELECT
    s.channel_id AS channel_id,
    s.post_id AS post_id,
    toStartOfHour(s.observed_at) AS hour,
    s.source AS source,
    instant + s.views AS views,
    instant + s.forwards AS forwards,
    instant + s.replies AS replies,
    instant + s.reactions AS reactions,
    s.observed_at AS observed_at,
    if(isNull(answers), NULL, instant + s.views) AS rated_views,
    if(isNull(s.views), NULL, instant + answers) AS rated_answers
FROM post_samples AS s;

CREATE TABLE post_samples
(
    `channel_id` Int64,
    `post_id` Int64,
    `observed_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `source` LowCardinality(String),
    `views` SimpleAggregateFunction(max, Nullable(Int64)),
    `forwards` SimpleAggregateFunction(max, Nullable(Int64)),
    `replies` SimpleAggregateFunction(max, Nullable(Int64)),
    `reactions` SimpleAggregateFunction(max, Nullable(Int64)),
    `inserted_at` SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now()
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(observed_at)
ORDER BY (channel_id, post_id, observed_at, source)
TTL inserted_at + toIntervalDay(90)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE posts
(
    `channel_id` Int64,
    `post_id` Int64,
    `date` DateTime64(3, 'UTC'),
    `text` String CODEC(ZSTD(3)),
    `media` LowCardinality(Nullable(String)),
    `album_id` Nullable(Int64),
    `forwarded_from` Nullable(String),
    `edited` Bool,
    `source` LowCardinality(String),
    `observed_at` DateTime64(3, 'UTC'),
    INDEX by_date date TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, post_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW published
AS WITH
    told AS
    (
        SELECT
            p.post_id AS post_id,
            p.date AS date,
            p.text AS text,
            p.album_id AS album_id,
            p.edited AS edited,
            p.observed_at AS observed_at
        FROM posts AS p
        FINAL
        WHERE (p.channel_id = {channel_id:Int64}) AND (p.date >= fromUnixTimestamp64Milli({from_ms:Int64} - 600000)) AND (p.date < fromUnixTimestamp64Milli({to_ms:Int64} + 600000))
    ),
    counted AS
    (
        SELECT
            h.post_id AS post_id,
            toInt64(bitAnd(max(h.views), toInt128(18446744073709551615))) AS views,
            toInt64(bitAnd(max(h.forwards), toInt128(18446744073709551615))) AS forwards,
            toInt64(bitAnd(max(h.replies), toInt128(18446744073709551615))) AS replies,
            toInt64(bitAnd(max(h.reactions), toInt128(18446744073709551615))) AS reactions,
            toInt64(bitAnd(max(h.rated_views), toInt128(18446744073709551615))) AS rated_views,
            toInt64(bitAnd(max(h.rated_answers), toInt128(18446744073709551615))) AS rated_answers,
            toUnixTimestamp64Milli(max(h.observed_at)) AS observed_at_ms,
            groupUniqArray(h.source) AS sources
        FROM post_hourly AS h
        WHERE (h.channel_id = {channel_id:Int64}) AND (h.post_id IN (
            SELECT post_id
            FROM told
        ))
        GROUP BY h.post_id
    ),
    removed AS
    (
        SELECT
            d.post_id AS post_id,
            max(d.observed_at) AS deleted_at
        FROM post_deletions AS d
        WHERE d.channel_id = {channel_id:Int64}
        GROUP BY d.post_id
    )
SELECT
    min(t.post_id) AS post_id,
    groupArray(t.post_id) AS post_ids,
    min(toUnixTimestamp64Milli(t.date)) AS date_ms,
    argMin(t.text, (empty(t.text), t.post_id)) AS text,
    max(c.views) AS views,
    max(c.forwards) AS forwards,
    max(c.replies) AS replies,
    max(c.reactions) AS reactions,
    argMax(c.rated_views, (ifNull(c.rated_answers, -1), ifNull(c.rated_views, -1))) AS rated_views,
    max(c.rated_answers) AS rated_answers,
    max(c.observed_at_ms) AS observed_at_ms,
    groupUniqArrayArray(c.sources) AS sources,
    max(t.edited) AS edited,
    min(r.deleted_at >= t.observed_at) AS deleted
FROM told AS t
LEFT JOIN counted AS c ON c.post_id = t.post_id
LEFT JOIN removed AS r ON r.post_id = t.post_id
GROUP BY
    t.album_id IS NULL,
    coalesce(t.album_id, t.post_id)
HAVING (date_ms >= {from_ms:Int64}) AND (date_ms < {to_ms:Int64});

CREATE TABLE read_spans
(
    `channel_id` Int64,
    `source` LowCardinality(String),
    `reading` Int64,
    `since` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `until_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, source, reading)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE recomputed
(
    `channel_id` Int64,
    `late_offset` Int64,
    `from_at` DateTime64(3, 'UTC'),
    `to_at` DateTime64(3, 'UTC'),
    `done_until` DateTime64(3, 'UTC'),
    `needed_until` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(done_until)
ORDER BY (channel_id, late_offset, from_at, to_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE removed_unread
(
    `topic` LowCardinality(String),
    `partition` UInt32,
    `first` Int64,
    `next` Int64,
    `before` DateTime64(3, 'UTC'),
    `found_at` DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, first, next)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE VIEW resampled
AS WITH
    sampled AS
    (
        SELECT
            s.post_id AS post_id,
            toUnixTimestamp64Milli(s.observed_at) AS at_ms,
            max(s.views) AS views,
            max(s.forwards) AS forwards,
            max(s.replies) AS replies,
            max(s.reactions) AS reactions
        FROM post_samples AS s
        WHERE (s.channel_id = {channel_id:Int64}) AND (s.post_id IN (
            SELECT t.post_id
            FROM post_samples AS t
            WHERE (t.channel_id = {channel_id:Int64}) AND (t.observed_at >= fromUnixTimestamp64Milli({from_ms:Int64})) AND (t.observed_at < fromUnixTimestamp64Milli({to_ms:Int64}))
        ))
        GROUP BY
            post_id,
            at_ms
    )
SELECT
    post_id,
    at_ms,
    views,
    forwards,
    replies,
    reactions,
    true AS raw
FROM sampled
UNION ALL
WITH
    sampled AS
    (
        SELECT
            s.post_id AS post_id,
            toUnixTimestamp64Milli(s.observed_at) AS at_ms,
            max(s.views) AS views,
            max(s.forwards) AS forwards,
            max(s.replies) AS replies,
            max(s.reactions) AS reactions
        FROM post_samples AS s
        WHERE (s.channel_id = {channel_id:Int64}) AND (s.post_id IN (
            SELECT t.post_id
            FROM post_samples AS t
            WHERE (t.channel_id = {channel_id:Int64}) AND (t.observed_at >= fromUnixTimestamp64Milli({from_ms:Int64})) AND (t.observed_at < fromUnixTimestamp64Milli({to_ms:Int64}))
        ))
        GROUP BY
            post_id,
            at_ms
    )
SELECT
    h.post_id AS post_id,
    toUnixTimestamp64Milli(max(h.observed_at)) AS at_ms,
    toInt64(bitAnd(max(h.views), toInt128(18446744073709551615))) AS views,
    toInt64(bitAnd(max(h.forwards), toInt128(18446744073709551615))) AS forwards,
    toInt64(bitAnd(max(h.replies), toInt128(18446744073709551615))) AS replies,
    toInt64(bitAnd(max(h.reactions), toInt128(18446744073709551615))) AS reactions,
    false AS raw
FROM post_hourly AS h
WHERE (h.channel_id = {channel_id:Int64}) AND (h.post_id IN (
    SELECT post_id
    FROM sampled
)) AND ((h.post_id, toInt64(toUnixTimestamp(h.hour))) NOT IN (
    SELECT
        post_id,
        intDiv(at_ms, 3600000) * 3600
    FROM sampled
))
GROUP BY
    h.post_id,
    h.hour;

CREATE TABLE subscriber_samples
(
    `channel_id` Int64,
    `observed_at` DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    `source` LowCardinality(String),
    `subscribers` SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, observed_at, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE subscribers_daily
(
    `channel_id` Int64,
    `day` DateTime('UTC'),
    `source` LowCardinality(String),
    `first` SimpleAggregateFunction(min, Int128),
    `last` SimpleAggregateFunction(max, Int128),
    `low` SimpleAggregateFunction(min, Int64),
    `high` SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, day, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW subscribers_daily_filled TO subscribers_daily
(
    `channel_id` Int64,
    `day` DateTime('UTC'),
    `source` LowCardinality(String),
    `first` Int128,
    `last` Int128,
    `low` SimpleAggregateFunction(max, Int64),
    `high` SimpleAggregateFunction(max, Int64)
)
AS WITH
    bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant
SELECT
    s.channel_id AS channel_id,
    toDateTime(toStartOfDay(s.observed_at), 'UTC') AS day,
    s.source AS source,
    instant + s.subscribers AS first,
    instant + s.subscribers AS last,
    s.subscribers AS low,
    s.subscribers AS high
FROM subscriber_samples AS s;

CREATE TABLE subscribers_hourly
(
    `channel_id` Int64,
    `hour` DateTime('UTC'),
    `source` LowCardinality(String),
    `first` SimpleAggregateFunction(min, Int128),
    `last` SimpleAggregateFunction(max, Int128),
    `low` SimpleAggregateFunction(min, Int64),
    `high` SimpleAggregateFunction(max, Int64)
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, hour, source)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW subscribers_hourly_filled TO subscribers_hourly
(
    `channel_id` Int64,
    `hour` DateTime('UTC'),
    `source` LowCardinality(String),
    `first` Int128,
    `last` Int128,
    `low` SimpleAggregateFunction(max, Int64),
    `high` SimpleAggregateFunction(max, Int64)
)
AS WITH
    bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant
SELECT
    s.channel_id AS channel_id,
    toStartOfHour(s.observed_at) AS hour,
    s.source AS source,
    instant + s.subscribers AS first,
    instant + s.subscribers AS last,
    s.subscribers AS low,
    s.subscribers AS high
FROM subscriber_samples AS s;

CREATE VIEW velocities
AS SELECT
    post_id,
    if(count() = 2, (greatest(argMax(views, at_ms) - argMin(views, at_ms), 0) * 3600000) / (max(at_ms) - min(at_ms)), NULL) AS velocity_per_h
FROM
(
    SELECT
        s.post_id AS post_id,
        toUnixTimestamp64Milli(s.observed_at) AS at_ms,
        assumeNotNull(max(s.views)) AS views
    FROM post_samples AS s
    WHERE (s.channel_id = {channel_id:Int64}) AND (s.views IS NOT NULL) AND (s.post_id IN (
        SELECT p.post_id
        FROM posts AS p
        FINAL
        WHERE (p.channel_id = {channel_id:Int64}) AND (p.date >= fromUnixTimestamp64Milli({from_ms:Int64})) AND (p.date < fromUnixTimestamp64Milli({to_ms:Int64}))
    ))
    GROUP BY
        post_id,
        at_ms
    ORDER BY
        post_id ASC,
        at_ms DESC
    LIMIT 2 BY post_id
)
GROUP BY post_id;

CREATE TABLE windows
(
    `channel_id` Int64,
    `start` DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    `views_gained` Nullable(Int64),
    `forwards_gained` Nullable(Int64),
    `replies_gained` Nullable(Int64),
    `reactions_gained` Nullable(Int64),
    `posts` Int64,
    `edits` Int64,
    `deletes` Int64,
    `samples` Int64,
    `closed` Bool,
    `observed_at` DateTime64(3, 'UTC'),
    `version` UInt64,
    `batch` UInt64,
    `sampled_from` Nullable(DateTime64(3, 'UTC')),
    `sampled_to` Nullable(DateTime64(3, 'UTC')),
    `recomputed` Bool DEFAULT false
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (channel_id, start)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;
