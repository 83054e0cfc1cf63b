-- What did a channel gain in the minutes that start in [from_ms, to_ms), and in which segments of time (from, to, divisible) were its counters observed?
WITH
    start >= fromUnixTimestamp64Milli({from_ms:Int64}) AND start < fromUnixTimestamp64Milli({to_ms:Int64}) AS asked,
    arraySort(groupArrayIf(
        (assumeNotNull(toUnixTimestamp64Milli(sampled_from)), assumeNotNull(toUnixTimestamp64Milli(sampled_to))),
        isNotNull(sampled_from) AND sampled_from < sampled_to)) AS segments,
    arrayMap(s -> s.2 - s.1 > 600000, segments) AS long,
    arrayMap(
        i -> i = 1 OR long[i] OR long[i - 1] OR segments[i].1 > segments[i - 1].2,
        arrayEnumerate(segments)) AS apart
SELECT
    sumIf(views_gained, asked) AS views_gained,
    sumIf(samples, asked) AS samples,
    toUnixTimestamp64Milli(maxOrNullIf(sampled_to, asked)) AS as_of_ms,
    arrayMap(
        island -> (island[1].1, arrayMax(s -> s.2, island), length(island) > 1 OR island[1].2 - island[1].1 <= 600000),
        arraySplit((s, is_apart) -> is_apart, segments, apart)) AS observed,
    (
        SELECT arraySort(groupUniqArray(source))
        FROM observed_hours
        WHERE channel_id = {channel_id:Int64} AND what = 'counters'
            AND hour >= toStartOfHour(fromUnixTimestamp64Milli({from_ms:Int64}))
            AND hour < fromUnixTimestamp64Milli({to_ms:Int64})
            AND last_at >= fromUnixTimestamp64Milli({from_ms:Int64})
            AND first_at < fromUnixTimestamp64Milli({to_ms:Int64})
    ) AS sources
FROM windows FINAL
WHERE channel_id = {channel_id:Int64}
    AND start >= fromUnixTimestamp64Milli({from_ms:Int64} - 60000)
    AND start < fromUnixTimestamp64Milli({to_ms:Int64} + 600000)
