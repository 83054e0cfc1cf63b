-- What was observed of a channel after after_ms and before before_ms, in order, and at most so many rows of it?
WITH
    samples AS
    (
        SELECT
            post_id,
            toUnixTimestamp64Milli(observed_at) AS at_ms,
            any(source) AS source,
            max(views) AS views,
            max(forwards) AS forwards,
            max(replies) AS replies,
            max(reactions) AS reactions
        FROM post_samples
        WHERE channel_id = {channel_id:Int64}
        GROUP BY post_id, observed_at
    ),
    first_samples AS
    (
        SELECT post_id, min(at_ms) AS first_ms
        FROM samples
        GROUP BY post_id
    ),
    -- A row has a post as it stood last; it was seen first when it was sampled first.
    stood AS
    (
        SELECT
            p.post_id AS post_id,
            toUnixTimestamp64Milli(p.observed_at) AS stood_ms,
            if(f.first_ms = 0, stood_ms, least(f.first_ms, stood_ms)) AS seen_ms,
            toUnixTimestamp64Milli(p.date) AS date_ms,
            p.text AS text,
            p.media AS media,
            p.album_id AS album_id,
            p.forwarded_from AS forwarded_from,
            p.edited AS edited,
            p.source AS source
        FROM (SELECT * FROM posts FINAL WHERE channel_id = {channel_id:Int64}) AS p
        LEFT JOIN first_samples AS f ON f.post_id = p.post_id
    )
SELECT *
FROM
(
    SELECT
        seen_ms AS at_ms, 'posts_seen' AS what, source, post_id,
        date_ms, text, media, album_id, forwarded_from,
        CAST(NULL AS Nullable(Int64)) AS views, CAST(NULL AS Nullable(Int64)) AS forwards,
        CAST(NULL AS Nullable(Int64)) AS replies, CAST(NULL AS Nullable(Int64)) AS reactions
    FROM stood
    UNION ALL
    SELECT
        stood_ms, 'posts_edited', source, post_id,
        date_ms, text, media, album_id, forwarded_from, NULL, NULL, NULL, NULL
    FROM stood
    WHERE edited AND stood_ms > seen_ms
    UNION ALL
    SELECT
        at_ms, 'sampled', source, post_id,
        0, '', NULL, NULL, NULL, views, forwards, replies, reactions
    FROM samples
    UNION ALL
    SELECT
        toUnixTimestamp64Milli(observed_at) AS at_ms, 'subscribers', any(source), max(subscribers),
        0, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM subscriber_samples
    WHERE channel_id = {channel_id:Int64}
    GROUP BY observed_at
    UNION ALL
    SELECT
        least(toUnixTimestamp64Milli(observed_at), {before_ms:Int64} - 1), 'described', '', 0,
        0, ifNull(title, ''), NULL, NULL, username, NULL, NULL, NULL, NULL
    FROM channels FINAL
    WHERE channel_id = {channel_id:Int64}
    UNION ALL
    SELECT
        toUnixTimestamp64Milli(observed_at), 'deleted', source, post_id,
        0, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM post_deletions FINAL
    WHERE channel_id = {channel_id:Int64}
)
WHERE at_ms > {after_ms:Int64} AND at_ms < {before_ms:Int64}
ORDER BY at_ms, indexOf(['posts_seen', 'posts_edited', 'sampled', 'subscribers', 'described', 'deleted'], what), source, post_id
LIMIT {most:Int64}
