-- How many views were observed to be gained in the minutes that start in [from_ms, to_ms)?
SELECT
    sum(views_gained) AS views_gained,
    toUnixTimestamp64Milli(max(observed_at)) AS as_of_ms
FROM windows FINAL
WHERE channel_id = {channel_id:Int64}
    AND start >= fromUnixTimestamp64Milli({from_ms:Int64})
    AND start < fromUnixTimestamp64Milli({to_ms:Int64})
