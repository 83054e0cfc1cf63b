-- What is known of a channel's subscribers before from_ms, and from there until to_ms?
SELECT
    maxIf(at_ms, at_ms < {from_ms:Int64}) AS before_at_ms,
    argMaxIf(subscribers, at_ms, at_ms < {from_ms:Int64}) AS newest_before,
    countIf(at_ms >= {from_ms:Int64}) AS within,
    minIf(at_ms, at_ms >= {from_ms:Int64}) AS first_at_ms,
    argMinIf(subscribers, at_ms, at_ms >= {from_ms:Int64}) AS first_within,
    argMax(subscribers, at_ms) AS newest,
    max(at_ms) AS as_of_ms,
    arraySort(groupUniqArrayArray(sources)) AS sources
FROM
(
    SELECT
        toUnixTimestamp64Milli(observed_at) AS at_ms,
        max(subscribers) AS subscribers,
        groupUniqArray(source) AS sources
    FROM subscriber_samples
    WHERE channel_id = {channel_id:Int64}
        AND observed_at < fromUnixTimestamp64Milli({to_ms:Int64})
    GROUP BY at_ms
)
