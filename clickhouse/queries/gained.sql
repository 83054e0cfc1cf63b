-- What did a channel gain in the minutes that start in [from_ms, to_ms), and between which instants were its counters sampled?
SELECT
    sumIf(views_gained, asked) AS views_gained,
    sumIf(samples, asked) AS samples,
    toUnixTimestamp64Milli(maxOrNullIf(sampled_to, asked)) AS as_of_ms,
    groupArrayIf(toUnixTimestamp64Milli(assumeNotNull(sampled_from)), segment) AS sampled_from_ms,
    groupArrayIf(toUnixTimestamp64Milli(assumeNotNull(sampled_to)), segment) AS sampled_to_ms
FROM
(
    SELECT
        views_gained, samples, sampled_from, sampled_to,
        isNotNull(sampled_from) AND isNotNull(sampled_to) AS segment,
        start >= fromUnixTimestamp64Milli({from_ms:Int64}) AND start < fromUnixTimestamp64Milli({to_ms:Int64}) AS asked
    FROM windows FINAL
    WHERE channel_id = {channel_id:Int64}
        AND start >= fromUnixTimestamp64Milli({from_ms:Int64} - 60000)
        AND start < fromUnixTimestamp64Milli({to_ms:Int64} + 600000)
)
