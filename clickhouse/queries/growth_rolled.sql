-- How many subscribers had a channel first and last in each step of [from_ms, to_ms), by its ${step}s?
SELECT
    intDiv(toInt64(toUnixTimestamp(${step})) * 1000 - {from_ms:Int64}, {step_ms:Int64}) AS step,
    toInt64(bitAnd(min(first), toInt128(18446744073709551615))) AS first_subscribers,
    toInt64(bitShiftRight(min(first), 64)) AS first_at_ms,
    toInt64(bitAnd(max(last), toInt128(18446744073709551615))) AS last_subscribers,
    toInt64(bitShiftRight(max(last), 64)) AS last_at_ms,
    groupUniqArray(source) AS sources
FROM subscribers_${rolled}
WHERE channel_id = {channel_id:Int64}
    AND ${step} >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND ${step} < fromUnixTimestamp64Milli({to_ms:Int64})
GROUP BY step
ORDER BY step
