-- How many posts did each channel publish in [from_ms, to_ms), albums once and deleted posts left out?
WITH told AS
(
    SELECT channel_id, post_id, date, album_id, observed_at
    FROM posts FINAL
    WHERE date >= fromUnixTimestamp64Milli({from_ms:Int64} - 600000)
        AND date < fromUnixTimestamp64Milli({to_ms:Int64} + 600000)
)
SELECT channel_id, count() AS posts
FROM
(
    SELECT
        t.channel_id AS channel_id,
        min(toUnixTimestamp64Milli(t.date)) AS date_ms,
        min(d.deleted_at >= t.observed_at) AS deleted
    FROM told AS t
    LEFT JOIN
    (
        SELECT channel_id, post_id, max(observed_at) AS deleted_at
        FROM post_deletions
        WHERE (channel_id, post_id) IN (SELECT channel_id, post_id FROM told)
        GROUP BY channel_id, post_id
    ) AS d ON d.channel_id = t.channel_id AND d.post_id = t.post_id
    GROUP BY t.channel_id, t.album_id IS NULL, coalesce(t.album_id, t.post_id)
    HAVING date_ms >= {from_ms:Int64} AND date_ms < {to_ms:Int64}
)
WHERE NOT deleted
GROUP BY channel_id
