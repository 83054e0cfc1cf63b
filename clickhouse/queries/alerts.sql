-- Which alerts were raised in [from_ms, to_ms), of one channel or (0) of all, newest first, and what are their posts called?
WITH raised AS
(
    SELECT *
    FROM alerts FINAL
    WHERE ({channel_id:Int64} = 0 OR channel_id = {channel_id:Int64})
        AND raised_at >= fromUnixTimestamp64Milli({from_ms:Int64})
        AND raised_at < fromUnixTimestamp64Milli({to_ms:Int64})
    ORDER BY raised_at DESC, alert_id
    LIMIT {limit:Int64}
)
SELECT
    r.alert_id AS alert_id, r.channel_id AS channel_id, r.type AS type, r.state AS state,
    toUnixTimestamp64Milli(r.raised_at) AS raised_at_ms,
    toUnixTimestamp64Milli(r.resolved_at) AS resolved_at_ms,
    r.post_id AS post_id, r.observed AS observed, r.expected AS expected, r.method AS method,
    nullIf(c.username, '') AS username,
    p.text AS text
FROM raised AS r
LEFT JOIN (SELECT channel_id, username FROM channels FINAL) AS c ON c.channel_id = r.channel_id
LEFT JOIN
(
    SELECT channel_id, post_id, substringUTF8(text, 1, 500) AS text
    FROM posts FINAL
    WHERE (channel_id, post_id) IN (SELECT channel_id, assumeNotNull(post_id) FROM raised WHERE isNotNull(post_id))
) AS p ON p.channel_id = r.channel_id AND p.post_id = r.post_id
ORDER BY raised_at_ms DESC, alert_id
