-- Which counters had the posts that were sampled in [from_ms, to_ms) at the fixed ages, by all samples, where that is not what is stored?
WITH
    samples AS
    (
        SELECT s.post_id AS post_id, s.at_ms AS at_ms, (s.views, s.forwards, s.replies, s.reactions) AS counters
        FROM resampled(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64}) AS s
        WHERE s.raw
    ),
    aged AS
    (
        SELECT post_id, toUnixTimestamp64Milli(date) AS date_ms, arrayJoin({ages_s:Array(Int64)}) AS age_s, date_ms + age_s * 1000 AS at_ms
        FROM posts FINAL
        WHERE channel_id = {channel_id:Int64} AND post_id IN (SELECT post_id FROM samples)
    ),
    around AS
    (
        SELECT
            a.post_id AS post_id, a.age_s AS age_s, a.at_ms AS at_ms,
            b.at_ms AS before_ms, b.counters AS before, c.at_ms AS after_ms, c.counters AS after
        FROM aged AS a
        ASOF INNER JOIN samples AS b ON b.post_id = a.post_id AND b.at_ms <= a.at_ms
        ASOF INNER JOIN samples AS c ON c.post_id = a.post_id AND c.at_ms >= a.at_ms
        WHERE after_ms - before_ms <= age_s * 1000
    ),
    read_off AS
    (
        SELECT
            post_id, age_s, after_ms,
            before_ms != after_ms AS interpolated,
            at_ms - before_ms AS part_ms, greatest(after_ms - before_ms, 1) AS whole_ms,
            before.1 + (after.1 - before.1) * part_ms / whole_ms AS views,
            before.2 + (after.2 - before.2) * part_ms / whole_ms AS forwards,
            before.3 + (after.3 - before.3) * part_ms / whole_ms AS replies,
            before.4 + (after.4 - before.4) * part_ms / whole_ms AS reactions
        FROM around
    ),
    stored AS (SELECT * FROM post_ages FINAL WHERE channel_id = {channel_id:Int64})
SELECT
    r.post_id AS post_id, r.age_s AS age_s,
    r.views AS views, r.forwards AS forwards, r.replies AS replies, r.reactions AS reactions,
    r.interpolated AS interpolated,
    greatest(r.after_ms, ifNull(toUnixTimestamp64Milli(s.observed_at), 0)) AS observed_at_ms
FROM read_off AS r
LEFT JOIN stored AS s ON s.post_id = r.post_id AND s.age_s = r.age_s
WHERE NOT (r.views IS NULL AND r.forwards IS NULL AND r.replies IS NULL AND r.reactions IS NULL)
    AND (
        s.post_id IS NULL
        OR s.views IS DISTINCT FROM r.views OR s.forwards IS DISTINCT FROM r.forwards
        OR s.replies IS DISTINCT FROM r.replies OR s.reactions IS DISTINCT FROM r.reactions
    )
ORDER BY post_id, age_s
SETTINGS join_use_nulls = 1
