-- Which minutes of [from_ms, to_ms) say something else than all raw samples of the channel, and what should they say?
WITH
    told AS
    (
        SELECT post_id, any(toUnixTimestamp64Milli(date)) AS date_ms, any(album_id) AS album_id
        FROM posts FINAL
        WHERE channel_id = {channel_id:Int64}
        GROUP BY post_id
    ),
    removed AS
    (
        SELECT post_id, toUnixTimestamp64Milli(min(observed_at)) AS deleted_ms
        FROM post_deletions
        WHERE channel_id = {channel_id:Int64}
        GROUP BY post_id
    ),
    albums AS
    (
        SELECT t.album_id AS album_id,
            groupArray((t.post_id, ifNull(r.deleted_ms, 9223372036854775807))) AS members
        FROM told AS t
        LEFT JOIN removed AS r ON r.post_id = t.post_id
        WHERE t.album_id IS NOT NULL
        GROUP BY t.album_id
    ),
    -- A post counts from zero where this was within the day before its first sample, and a post is
    -- dated at most five minutes after its sample.
    observed AS
    (
        SELECT DISTINCT 1 AS one, at_ms
        FROM
        (
            SELECT toUnixTimestamp64Milli(observed_at) AS at_ms
            FROM post_samples
            WHERE channel_id = {channel_id:Int64}
                AND observed_at >= fromUnixTimestamp64Milli({from_ms:Int64} - 86400000)
                AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64} + 300000)
            UNION ALL
            SELECT toUnixTimestamp64Milli(observed_at)
            FROM subscriber_samples
            WHERE channel_id = {channel_id:Int64}
                AND observed_at >= fromUnixTimestamp64Milli({from_ms:Int64} - 86400000)
                AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64} + 300000)
            UNION ALL
            SELECT arrayJoin([toUnixTimestamp64Milli(first_at), toUnixTimestamp64Milli(last_at)])
            FROM observed_hours
            WHERE channel_id = {channel_id:Int64}
                AND last_at >= fromUnixTimestamp64Milli({from_ms:Int64} - 86400000)
                AND first_at < fromUnixTimestamp64Milli({to_ms:Int64} + 300000)
        )
    ),
    -- When the channel was observed last before each post was published; 0: never.
    known AS
    (
        SELECT t.post_id AS post_id, t.date_ms AS date_ms, o.at_ms AS observed_ms, a.members AS members
        FROM (SELECT *, 1 AS one FROM told) AS t
        ASOF LEFT JOIN observed AS o ON o.one = t.one AND o.at_ms < t.date_ms
        LEFT JOIN albums AS a ON a.album_id = t.album_id
    ),
    ordered AS
    (
        SELECT *, at_ms - lagInFrame(at_ms, 1, at_ms) OVER (PARTITION BY post_id ORDER BY at_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since_ms
        FROM resampled(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
    ),
    -- Samples of a post more than 90 days apart belong to different runs.
    runs AS
    (
        SELECT *, sum(since_ms > 7776000000) OVER (PARTITION BY post_id ORDER BY at_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
        FROM ordered
    ),
    highest AS
    (
        SELECT
            *,
            max(views) OVER before AS views_before,
            max(forwards) OVER before AS forwards_before,
            max(replies) OVER before AS replies_before,
            max(reactions) OVER before AS reactions_before
        FROM runs
        WINDOW before AS (PARTITION BY post_id, run ORDER BY at_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    -- A product, and not `greatest`, because that takes NULL for less than 0.
    gains AS
    (
        SELECT
            h.post_id AS post_id, h.at_ms AS at_ms,
            k.observed_ms > 0 AND k.observed_ms >= h.at_ms - 86400000 AND h.at_ms - k.date_ms <= 86400000 AS from_zero,
            NOT arrayExists(member -> member.1 < h.post_id AND member.2 > h.at_ms, k.members) AS leads,
            if(from_zero, 0, NULL) AS base,
            h.views - coalesce(h.views_before, base) AS views_more, if(leads, views_more * (views_more > 0), NULL) AS views,
            h.forwards - coalesce(h.forwards_before, base) AS forwards_more, if(leads, forwards_more * (forwards_more > 0), NULL) AS forwards,
            h.replies - coalesce(h.replies_before, base) AS replies_more, if(leads, replies_more * (replies_more > 0), NULL) AS replies,
            h.reactions - coalesce(h.reactions_before, base) AS reactions_more, if(leads, reactions_more * (reactions_more > 0), NULL) AS reactions
        FROM highest AS h
        LEFT JOIN known AS k ON k.post_id = h.post_id
        WHERE h.raw AND h.at_ms >= {from_ms:Int64} AND h.at_ms < {to_ms:Int64}
    ),
    instants AS
    (
        SELECT at_ms, if(at_ms - before_ms <= 86400000, before_ms, NULL) AS sampled_from_ms
        FROM
        (
            SELECT at_ms, lagInFrame(toNullable(at_ms)) OVER (ORDER BY at_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before_ms
            FROM
            (
                SELECT DISTINCT toUnixTimestamp64Milli(observed_at) AS at_ms
                FROM post_samples
                WHERE channel_id = {channel_id:Int64}
                    AND observed_at >= fromUnixTimestamp64Milli({from_ms:Int64} - 86400000)
                    AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64})
            )
        )
        WHERE at_ms >= {from_ms:Int64}
    ),
    sampled AS
    (
        SELECT intDiv(at_ms, 60000) AS minute, argMin(tuple(sampled_from_ms), at_ms).1 AS sampled_from_ms, max(at_ms) AS sampled_to_ms
        FROM instants
        GROUP BY minute
    ),
    minutes AS
    (
        SELECT
            intDiv(at_ms, 60000) AS minute,
            sum(views) AS views_gained, sum(forwards) AS forwards_gained,
            sum(replies) AS replies_gained, sum(reactions) AS reactions_gained,
            countIf(NOT (views IS NULL AND forwards IS NULL AND replies IS NULL AND reactions IS NULL)) AS samples
        FROM gains
        GROUP BY minute
    ),
    -- Hours of which some samples are not kept any more: what is stored of them knows more.
    expired AS
    (
        SELECT DISTINCT toInt64(toUnixTimestamp(hour)) AS hour
        FROM post_hourly
        WHERE channel_id = {channel_id:Int64}
            AND hour >= toStartOfHour(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
            AND hour < fromUnixTimestamp64Milli({to_ms:Int64})
            AND (post_id, toInt64(toUnixTimestamp(hour))) NOT IN
            (
                SELECT post_id, intDiv(toUnixTimestamp64Milli(observed_at), 3600000) * 3600
                FROM post_samples
                WHERE channel_id = {channel_id:Int64}
                    AND observed_at >= toStartOfHour(fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'))
                    AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64} + 3600000)
            )
    ),
    stored AS
    (
        SELECT *
        FROM windows FINAL
        WHERE channel_id = {channel_id:Int64}
            AND start >= fromUnixTimestamp64Milli({from_ms:Int64}) AND start < fromUnixTimestamp64Milli({to_ms:Int64})
    )
SELECT
    m.minute * 60 AS start,
    m.views_gained AS views_gained, m.forwards_gained AS forwards_gained,
    m.replies_gained AS replies_gained, m.reactions_gained AS reactions_gained,
    ifNull(w.posts, 0) AS posts, ifNull(w.edits, 0) AS edits, ifNull(w.deletes, 0) AS deletes,
    toInt64(m.samples) AS samples,
    s.sampled_from_ms AS sampled_from, s.sampled_to_ms AS sampled_to,
    greatest(s.sampled_to_ms, ifNull(toUnixTimestamp64Milli(w.observed_at), 0)) AS observed_at_ms
FROM minutes AS m
LEFT JOIN sampled AS s ON s.minute = m.minute
LEFT JOIN stored AS w ON toInt64(toUnixTimestamp(w.start)) = m.minute * 60
WHERE (w.channel_id IS NULL OR intDiv(m.minute, 60) * 3600 NOT IN (SELECT hour FROM expired))
    AND (
        w.channel_id IS NULL
        OR w.views_gained IS DISTINCT FROM m.views_gained OR w.forwards_gained IS DISTINCT FROM m.forwards_gained
        OR w.replies_gained IS DISTINCT FROM m.replies_gained OR w.reactions_gained IS DISTINCT FROM m.reactions_gained
        OR w.samples != m.samples
        OR toUnixTimestamp64Milli(w.sampled_from) IS DISTINCT FROM s.sampled_from_ms
        OR toUnixTimestamp64Milli(w.sampled_to) IS DISTINCT FROM s.sampled_to_ms
    )
ORDER BY start
SETTINGS join_use_nulls = 1
