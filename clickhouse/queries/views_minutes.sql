-- What did a channel gain in each step of [from_ms, to_ms), by its minutes?
SELECT
    intDiv(toInt64(toUnixTimestamp(start)) * 1000 - {from_ms:Int64}, {step_ms:Int64}) AS step,
    sum(views_gained) AS views,
    sum(forwards_gained) AS forwards,
    sum(replies_gained) AS replies,
    sum(reactions_gained) AS reactions,
    sum(samples) AS samples,
    toUnixTimestamp64Milli(max(observed_at)) AS as_of_ms
FROM windows FINAL
WHERE channel_id = {channel_id:Int64}
    AND start >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND start < fromUnixTimestamp64Milli({to_ms:Int64})
GROUP BY step
ORDER BY step
