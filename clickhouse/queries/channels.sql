-- Which channels are known, and what is the newest known of each?
SELECT
    coalesce(c.channel_id, s.channel_id) AS id,
    c.username AS username,
    c.title AS title,
    c.subscribers AS subscribers,
    toUnixTimestamp64Milli(coalesce(c.first_observed_at, s.first_at)) AS followed_since_ms,
    toUnixTimestamp64Milli(c.last_post_at) AS last_post_at_ms,
    toUnixTimestamp64Milli(c.last_sample_at) AS last_sample_at_ms,
    c.status AS status,
    s.newest_source AS newest_source,
    s.sources AS sources
FROM (SELECT * FROM channels FINAL) AS c
FULL OUTER JOIN
(
    SELECT channel_id, min(first_at) AS first_at, argMax(source, (last_at, source)) AS newest_source,
        arraySort(groupUniqArray(source)) AS sources
    FROM channel_sources
    GROUP BY channel_id
) AS s ON s.channel_id = c.channel_id
ORDER BY lower(c.username) NULLS LAST, id
SETTINGS join_use_nulls = 1
