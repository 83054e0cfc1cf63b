-- What is missing in the ${step}s of [from_ms, to_ms), roll-ups of the closed windows of a channel, and what is too much?
WITH
    told AS
    (
        SELECT
            toInt64(toUnixTimestamp(toDateTime(toStartOf${Step}(start), 'UTC'))) AS ${step},
            sum(views_gained) AS views_gained, sum(forwards_gained) AS forwards_gained,
            sum(replies_gained) AS replies_gained, sum(reactions_gained) AS reactions_gained,
            sum(posts) AS posts, sum(edits) AS edits, sum(deletes) AS deletes, sum(samples) AS samples,
            max(observed_at) AS observed_at
        FROM windows FINAL
        WHERE channel_id = {channel_id:Int64} AND closed
            AND start >= toStartOf${Step}(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
            AND start < toStartOf${Step}(fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')) + INTERVAL 1 ${step}
        GROUP BY ${step}
    ),
    rolled AS
    (
        SELECT
            toInt64(toUnixTimestamp(c.${step})) AS ${step},
            sum(c.views_gained) AS views_gained, sum(c.forwards_gained) AS forwards_gained,
            sum(c.replies_gained) AS replies_gained, sum(c.reactions_gained) AS reactions_gained,
            sum(c.posts) AS posts, sum(c.edits) AS edits, sum(c.deletes) AS deletes, sum(c.samples) AS samples
        FROM channel_${rolled} AS c
        WHERE c.channel_id = {channel_id:Int64}
            AND c.${step} >= toStartOf${Step}(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
            AND c.${step} < fromUnixTimestamp64Milli({to_ms:Int64})
        GROUP BY ${step}
    )
SELECT
    t.${step} AS ${step},
    t.views_gained - ifNull(r.views_gained, 0) AS views_gained,
    t.forwards_gained - ifNull(r.forwards_gained, 0) AS forwards_gained,
    t.replies_gained - ifNull(r.replies_gained, 0) AS replies_gained,
    t.reactions_gained - ifNull(r.reactions_gained, 0) AS reactions_gained,
    t.posts - ifNull(r.posts, 0) AS posts, t.edits - ifNull(r.edits, 0) AS edits,
    t.deletes - ifNull(r.deletes, 0) AS deletes, t.samples - ifNull(r.samples, 0) AS samples,
    toUnixTimestamp64Milli(t.observed_at) AS observed_at_ms
FROM told AS t
LEFT JOIN rolled AS r ON r.${step} = t.${step}
WHERE (t.views_gained, t.forwards_gained, t.replies_gained, t.reactions_gained, t.posts, t.edits, t.deletes, t.samples)
    IS DISTINCT FROM (r.views_gained, r.forwards_gained, r.replies_gained, r.reactions_gained, r.posts, r.edits, r.deletes, r.samples)
ORDER BY ${step}
SETTINGS join_use_nulls = 1
