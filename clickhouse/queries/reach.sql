-- How many views had the posts published in [from_ms, to_ms) at the fixed ages, albums once and deleted posts left out?
SELECT age_s, count() AS posts, sum(views) AS views
FROM
(
    SELECT p.post_id AS post_id, a.age_s AS age_s, max(a.views) AS views
    FROM
    (
        SELECT post_id, arrayJoin(post_ids) AS member
        FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
        WHERE NOT deleted
    ) AS p
    INNER JOIN
    (
        SELECT post_id, age_s, views
        FROM post_ages FINAL
        WHERE channel_id = {channel_id:Int64} AND isNotNull(views)
    ) AS a ON a.post_id = p.member
    GROUP BY p.post_id, a.age_s
)
GROUP BY age_s
ORDER BY age_s
