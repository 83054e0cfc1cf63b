-- Of which spans of time have all posts been read, of one channel or (0) of all?
SELECT
    channel_id,
    toUnixTimestamp64Milli(min(since)) AS since_ms,
    toUnixTimestamp64Milli(max(until_at)) AS until_ms
FROM
(
    SELECT channel_id, source, reading, toNullable(since) AS since, until_at
    FROM read_spans
    WHERE {channel_id:Int64} = 0 OR channel_id = {channel_id:Int64}
    UNION ALL
    SELECT channel_id, source, 0, NULL, last_at
    FROM channel_sources
    WHERE {channel_id:Int64} = 0 OR channel_id = {channel_id:Int64}
)
GROUP BY channel_id, source, reading
HAVING isNotNull(since_ms)
