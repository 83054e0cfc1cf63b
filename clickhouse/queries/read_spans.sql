-- Of which spans of time have all posts of a channel been read?
SELECT
    toUnixTimestamp64Milli(min(r.since)) AS since_ms,
    toUnixTimestamp64Milli(if(r.reading = 0, greatest(max(r.until_at), max(s.last_at)), max(r.until_at))) AS until_ms
FROM read_spans AS r
LEFT JOIN
(
    SELECT source, max(last_at) AS last_at
    FROM channel_sources
    WHERE channel_id = {channel_id:Int64}
    GROUP BY source
) AS s ON s.source = r.source
WHERE r.channel_id = {channel_id:Int64}
GROUP BY r.source, r.reading
