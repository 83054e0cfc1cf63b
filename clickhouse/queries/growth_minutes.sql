-- How many subscribers had a channel first and last in each step of [from_ms, to_ms), by its samples?
SELECT
    intDiv(toUnixTimestamp64Milli(observed_at) - {from_ms:Int64}, {step_ms:Int64}) AS step,
    argMin(subscribers, (observed_at, subscribers)) AS first_subscribers,
    toUnixTimestamp64Milli(min(observed_at)) AS first_at_ms,
    argMax(subscribers, (observed_at, subscribers)) AS last_subscribers,
    toUnixTimestamp64Milli(max(observed_at)) AS last_at_ms,
    groupUniqArray(source) AS sources
FROM subscriber_samples
WHERE channel_id = {channel_id:Int64}
    AND observed_at >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64})
GROUP BY step
ORDER BY step
