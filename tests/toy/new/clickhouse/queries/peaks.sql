-- Which minutes of a channel were peaks, the highest first?
SELECT
    JSONExtractInt(body, 'start_ms') AS start_ms,
    JSONExtractInt(body, 'views_gained') AS views_gained
FROM messages FINAL
WHERE kind = 'peaks.peak' AND channel_id = {channel_id:Int64}
ORDER BY views_gained DESC, start_ms
LIMIT {limit:Int64}
