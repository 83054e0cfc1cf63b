-- Who observed this of a channel (posts, counters, subscribers, channel) in [from_ms, to_ms)?
SELECT DISTINCT source
FROM observed_hours
WHERE channel_id = {channel_id:Int64}
    AND what = {what:String}
    AND hour >= toStartOfHour(fromUnixTimestamp64Milli({from_ms:Int64}))
    AND hour < fromUnixTimestamp64Milli({to_ms:Int64})
    AND last_at >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND first_at < fromUnixTimestamp64Milli({to_ms:Int64})
ORDER BY source
