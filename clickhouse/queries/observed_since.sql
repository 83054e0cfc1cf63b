-- When was the first observation that history holds made?
SELECT toUnixTimestamp64Milli(min(at)) AS since_ms
FROM
(
    SELECT min(observed_at) AS at FROM posts HAVING count() > 0
    UNION ALL
    SELECT min(observed_at) AS at FROM post_samples HAVING count() > 0
    UNION ALL
    SELECT min(observed_at) AS at FROM subscriber_samples HAVING count() > 0
)
HAVING count() > 0
