-- Of which spans of time have all posts been read, of one channel or (0) of all?
SELECT
    r.channel_id AS channel_id,
    toUnixTimestamp64Milli(min(r.since)) AS since_ms,
    toUnixTimestamp64Milli(if(r.reading = 0, greatest(max(r.until_at), max(s.last_at)), max(r.until_at))) AS until_ms
FROM read_spans AS r
LEFT JOIN
(
    SELECT channel_id, source, max(last_at) AS last_at
    FROM channel_sources
    WHERE {channel_id:Int64} = 0 OR channel_id = {channel_id:Int64}
    GROUP BY channel_id, source
) AS s ON s.channel_id = r.channel_id AND s.source = r.source
WHERE {channel_id:Int64} = 0 OR r.channel_id = {channel_id:Int64}
GROUP BY r.channel_id, r.source, r.reading
