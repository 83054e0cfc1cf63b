-- What did a channel gain in each step of [from_ms, to_ms), by its ${step}s and the minutes still open?
SELECT
    intDiv(toInt64(toUnixTimestamp(start)) * 1000 - {from_ms:Int64}, {step_ms:Int64}) AS step,
    sum(views_gained) AS views,
    sum(forwards_gained) AS forwards,
    sum(replies_gained) AS replies,
    sum(reactions_gained) AS reactions,
    sum(samples) AS samples,
    toUnixTimestamp64Milli(max(observed_at)) AS as_of_ms
FROM
(
    SELECT ${step} AS start, views_gained, forwards_gained, replies_gained, reactions_gained, samples, observed_at
    FROM channel_${rolled}
    WHERE channel_id = {channel_id:Int64}
        AND ${step} >= fromUnixTimestamp64Milli({from_ms:Int64})
        AND ${step} < fromUnixTimestamp64Milli({to_ms:Int64})
    UNION ALL
    SELECT start, views_gained, forwards_gained, replies_gained, reactions_gained, samples, observed_at
    FROM windows FINAL
    WHERE channel_id = {channel_id:Int64}
        AND start >= fromUnixTimestamp64Milli({from_ms:Int64})
        AND start < fromUnixTimestamp64Milli({to_ms:Int64})
        AND NOT closed
)
GROUP BY step
ORDER BY step
