-- What is missing in the days of [from_ms, to_ms), roll-ups of the closed windows of a channel, and what is too much?
WITH
    told AS
    (
        SELECT
            toInt64(toUnixTimestamp(toDateTime(toStartOfDay(start), 'UTC'))) AS day,
            sum(views_gained) AS views_gained, sum(forwards_gained) AS forwards_gained,
            sum(replies_gained) AS replies_gained, sum(reactions_gained) AS reactions_gained,
            sum(posts) AS posts, sum(edits) AS edits, sum(deletes) AS deletes, sum(samples) AS samples,
            max(observed_at) AS observed_at
        FROM windows FINAL
        WHERE channel_id = {channel_id:Int64} AND closed
            AND start >= toStartOfDay(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
            AND start < toStartOfDay(fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')) + INTERVAL 1 day
        GROUP BY day
    ),
    rolled AS
    (
        SELECT
            toInt64(toUnixTimestamp(c.day)) AS day,
            sum(c.views_gained) AS views_gained, sum(c.forwards_gained) AS forwards_gained,
            sum(c.replies_gained) AS replies_gained, sum(c.reactions_gained) AS reactions_gained,
            sum(c.posts) AS posts, sum(c.edits) AS edits, sum(c.deletes) AS deletes, sum(c.samples) AS samples
        FROM channel_daily AS c
        WHERE c.channel_id = {channel_id:Int64}
            AND c.day >= toStartOfDay(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
            AND c.day < fromUnixTimestamp64Milli({to_ms:Int64})
        GROUP BY day
    )
SELECT
    t.day AS day,
    t.views_gained - ifNull(r.views_gained, 0) AS views_gained,
    t.forwards_gained - ifNull(r.forwards_gained, 0) AS forwards_gained,
    t.replies_gained - ifNull(r.replies_gained, 0) AS replies_gained,
    t.reactions_gained - ifNull(r.reactions_gained, 0) AS reactions_gained,
    t.posts - ifNull(r.posts, 0) AS posts, t.edits - ifNull(r.edits, 0) AS edits,
    t.deletes - ifNull(r.deletes, 0) AS deletes, t.samples - ifNull(r.samples, 0) AS samples,
    toUnixTimestamp64Milli(t.observed_at) AS observed_at_ms
FROM told AS t
LEFT JOIN rolled AS r ON r.day = t.day
WHERE (t.views_gained, t.forwards_gained, t.replies_gained, t.reactions_gained, t.posts, t.edits, t.deletes, t.samples)
    IS DISTINCT FROM (r.views_gained, r.forwards_gained, r.replies_gained, r.reactions_gained, r.posts, r.edits, r.deletes, r.samples)
ORDER BY day
SETTINGS join_use_nulls = 1
