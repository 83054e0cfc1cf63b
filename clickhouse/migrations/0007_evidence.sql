-- What figures rest on: spans of which all posts are known, and ratings from one instant.

-- Of which spans a source told all posts. `reading` names one: 0 is what a collector reads without
-- gaps, from its oldest post to its last observation; any other is a recording's or an import's
-- first instant. `until_at` of a collector's is completed by channel_sources.
CREATE TABLE IF NOT EXISTS read_spans
(
    channel_id Int64,
    source LowCardinality(String),
    reading Int64,
    since SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    until_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (channel_id, source, reading)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What was read before this table was there. Repeated, it changes nothing.
INSERT INTO read_spans (channel_id, source, reading, since, until_at)
SELECT p.channel_id, p.source, 0, min(p.date), max(p.observed_at)
FROM posts AS p
WHERE p.source != 'import'
GROUP BY p.channel_id, p.source;

-- A post's views and answers (forwards + replies + reactions) of the newest sample in which all
-- four counters are known, packed as the others.
ALTER TABLE post_hourly
    ADD COLUMN IF NOT EXISTS rated_views SimpleAggregateFunction(max, Nullable(Int128)),
    ADD COLUMN IF NOT EXISTS rated_answers SimpleAggregateFunction(max, Nullable(Int128));

ALTER TABLE post_hourly_filled MODIFY QUERY
WITH
    bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant,
    s.forwards + s.replies + s.reactions AS answers
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

-- The samples of before: a row that is there twice merges to one.
INSERT INTO post_hourly (channel_id, post_id, hour, source, observed_at, rated_views, rated_answers)
WITH
    bitShiftLeft(toInt128(toUnixTimestamp64Milli(s.observed_at)), 64) AS instant,
    s.forwards + s.replies + s.reactions AS answers
SELECT
    s.channel_id, s.post_id, toStartOfHour(s.observed_at), s.source, max(s.observed_at),
    max(instant + s.views), max(instant + answers)
FROM post_samples AS s
WHERE isNotNull(s.views) AND isNotNull(answers)
GROUP BY s.channel_id, s.post_id, toStartOfHour(s.observed_at), s.source;

-- As before (0004), and of one instant what a post is rated by. Of an album that is the post with
-- the most answers: its own views and answers, never those of two posts.
CREATE OR REPLACE VIEW published AS
WITH
    told AS
    (
        SELECT p.post_id AS post_id, p.date AS date, p.text AS text, p.album_id AS album_id,
            p.edited AS edited, p.observed_at AS observed_at
        FROM posts AS p FINAL
        WHERE p.channel_id = {channel_id:Int64}
            AND p.date >= fromUnixTimestamp64Milli({from_ms:Int64} - 600000)
            AND p.date < fromUnixTimestamp64Milli({to_ms:Int64} + 600000)
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
        WHERE h.channel_id = {channel_id:Int64} AND h.post_id IN (SELECT post_id FROM told)
        GROUP BY h.post_id
    ),
    removed AS
    (
        SELECT d.post_id AS post_id, max(d.observed_at) AS deleted_at
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
GROUP BY t.album_id IS NULL, coalesce(t.album_id, t.post_id)
HAVING date_ms >= {from_ms:Int64} AND date_ms < {to_ms:Int64}
