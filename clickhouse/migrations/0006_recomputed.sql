-- Late samples: what no window could take is computed here, from all raw samples of a channel.

-- Of a window: whether it was computed here. Such a row replaces what the agents said, and does
-- not enter the roll-ups by itself: they are given the difference.
ALTER TABLE windows ADD COLUMN IF NOT EXISTS recomputed Bool DEFAULT false;

ALTER TABLE channel_hourly_filled MODIFY QUERY
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
WHERE w.closed AND NOT w.recomputed;

ALTER TABLE channel_daily_filled MODIFY QUERY
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
WHERE w.closed AND NOT w.recomputed;

-- Late samples whose windows were computed: up to which minute, and up to which they have to be.
-- A sample that follows a late one may lie in a minute that is not closed yet.
CREATE TABLE IF NOT EXISTS recomputed
(
    channel_id Int64,
    late_offset Int64,
    from_at DateTime64(3, 'UTC'),
    to_at DateTime64(3, 'UTC'),
    done_until DateTime64(3, 'UTC'),
    needed_until DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(done_until)
ORDER BY (channel_id, late_offset, from_at, to_at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Every sample of the posts of a channel that were sampled in [from_ms, to_ms), one a post and
-- instant. `raw`: false where the samples of an hour are gone and its last counters stand for them.
CREATE VIEW IF NOT EXISTS resampled AS
WITH
    sampled AS
    (
        SELECT
            s.post_id AS post_id,
            toUnixTimestamp64Milli(s.observed_at) AS at_ms,
            max(s.views) AS views, max(s.forwards) AS forwards,
            max(s.replies) AS replies, max(s.reactions) AS reactions
        FROM post_samples AS s
        WHERE s.channel_id = {channel_id:Int64}
            AND s.post_id IN
            (
                SELECT t.post_id FROM post_samples AS t
                WHERE t.channel_id = {channel_id:Int64}
                    AND t.observed_at >= fromUnixTimestamp64Milli({from_ms:Int64})
                    AND t.observed_at < fromUnixTimestamp64Milli({to_ms:Int64})
            )
        GROUP BY post_id, at_ms
    )
SELECT post_id, at_ms, views, forwards, replies, reactions, true AS raw FROM sampled
UNION ALL
SELECT
    h.post_id AS post_id,
    toUnixTimestamp64Milli(max(h.observed_at)) AS at_ms,
    toInt64(bitAnd(max(h.views), toInt128(18446744073709551615))) AS views,
    toInt64(bitAnd(max(h.forwards), toInt128(18446744073709551615))) AS forwards,
    toInt64(bitAnd(max(h.replies), toInt128(18446744073709551615))) AS replies,
    toInt64(bitAnd(max(h.reactions), toInt128(18446744073709551615))) AS reactions,
    false AS raw
FROM post_hourly AS h
WHERE h.channel_id = {channel_id:Int64}
    AND h.post_id IN (SELECT post_id FROM sampled)
    AND (h.post_id, toInt64(toUnixTimestamp(h.hour))) NOT IN (SELECT post_id, intDiv(at_ms, 3600000) * 3600 FROM sampled)
GROUP BY h.post_id, h.hour
