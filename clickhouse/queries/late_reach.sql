-- Up to which instant do samples of a channel in [from_ms, to_ms] change what its windows say?
WITH
    later AS
    (
        SELECT post_id, min(toUnixTimestamp64Milli(observed_at)) AS at_ms
        FROM post_samples
        WHERE channel_id = {channel_id:Int64} AND observed_at > fromUnixTimestamp64Milli({to_ms:Int64})
        GROUP BY post_id
    ),
    late AS
    (
        SELECT DISTINCT post_id
        FROM post_samples
        WHERE channel_id = {channel_id:Int64}
            AND observed_at >= fromUnixTimestamp64Milli({from_ms:Int64})
            AND observed_at <= fromUnixTimestamp64Milli({to_ms:Int64})
    ),
    newer AS
    (
        SELECT post_id
        FROM posts FINAL
        WHERE channel_id = {channel_id:Int64} AND date > fromUnixTimestamp64Milli({from_ms:Int64})
    )
SELECT greatest(
    {to_ms:Int64},
    -- The gain of a post's next sample begins at its late one.
    (SELECT max(at_ms) FROM later WHERE post_id IN late),
    -- The time before the channel's next sample is observed.
    (SELECT minIf(at_ms, at_ms <= {to_ms:Int64} + 86400000) FROM later),
    -- Posts published within a day after an observation count from zero.
    (SELECT maxIf(at_ms, at_ms <= {to_ms:Int64} + 86400000) FROM later WHERE post_id IN newer)
) AS until_ms
