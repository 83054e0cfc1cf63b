-- How many views had each post published in [from_ms, to_ms) after 1, 12, 24 and 48 hours, deleted posts left out and the posts of an album under one number?
SELECT
    p.post_id AS post_id, a.age_s AS age_s, a.views AS views,
    toUnixTimestamp64Milli(a.observed_at) AS observed_at_ms
FROM
(
    SELECT post_id, arrayJoin(post_ids) AS member
    FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
    WHERE NOT deleted
) AS p
INNER JOIN
(
    SELECT post_id, age_s, views, observed_at
    FROM post_ages FINAL
    WHERE channel_id = {channel_id:Int64} AND isNotNull(views) AND age_s IN (3600, 43200, 86400, 172800)
) AS a ON a.post_id = p.member
