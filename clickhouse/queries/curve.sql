-- Which counters had a post (or an album: its highest) at each instant? Hours without samples any more are told by their last counters.
WITH
    sampled AS
    (
        SELECT
            toUnixTimestamp64Milli(s.observed_at) AS observed_at_ms,
            max(s.views) AS views, max(s.forwards) AS forwards,
            max(s.replies) AS replies, max(s.reactions) AS reactions,
            groupUniqArray(s.source) AS sources
        FROM post_samples AS s
        WHERE s.channel_id = {channel_id:Int64} AND s.post_id IN {post_ids:Array(Int64)}
        GROUP BY observed_at_ms
    ),
    rolled AS
    (
        SELECT
            toUnixTimestamp64Milli(max(h.observed_at)) AS observed_at_ms,
            toInt64(bitAnd(max(h.views), toInt128(18446744073709551615))) AS views,
            toInt64(bitAnd(max(h.forwards), toInt128(18446744073709551615))) AS forwards,
            toInt64(bitAnd(max(h.replies), toInt128(18446744073709551615))) AS replies,
            toInt64(bitAnd(max(h.reactions), toInt128(18446744073709551615))) AS reactions,
            groupUniqArray(h.source) AS sources
        FROM post_hourly AS h
        WHERE h.channel_id = {channel_id:Int64} AND h.post_id IN {post_ids:Array(Int64)}
            AND toInt64(toUnixTimestamp(h.hour)) NOT IN (SELECT intDiv(observed_at_ms, 3600000) * 3600 FROM sampled)
        GROUP BY h.hour
    )
SELECT * FROM (SELECT * FROM sampled UNION ALL SELECT * FROM rolled)
ORDER BY observed_at_ms
