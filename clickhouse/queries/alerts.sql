-- Which alerts were raised in [from_ms, to_ms), of one channel or (0) of all, newest first?
SELECT
    alert_id, channel_id, type, state,
    toUnixTimestamp64Milli(raised_at) AS raised_at_ms,
    toUnixTimestamp64Milli(resolved_at) AS resolved_at_ms,
    post_id, observed, expected, method
FROM alerts FINAL
WHERE ({channel_id:Int64} = 0 OR channel_id = {channel_id:Int64})
    AND raised_at >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND raised_at < fromUnixTimestamp64Milli({to_ms:Int64})
ORDER BY raised_at_ms DESC, alert_id
LIMIT {limit:Int64}
