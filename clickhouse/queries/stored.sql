-- How many posts, samples of counters and samples of subscribers are stored, by source?
SELECT source, sum(posts) AS posts, sum(view_samples) AS view_samples, sum(subscriber_samples) AS subscriber_samples
FROM
(
    SELECT source, uniqExact(channel_id, post_id) AS posts, 0 AS view_samples, 0 AS subscriber_samples
    FROM posts
    GROUP BY source
    UNION ALL
    SELECT source, 0, uniqExactIf((channel_id, post_id, observed_at), isNotNull(views)), 0
    FROM post_samples
    GROUP BY source
    UNION ALL
    SELECT source, 0, 0, uniqExact(channel_id, observed_at)
    FROM subscriber_samples
    GROUP BY source
)
GROUP BY source
ORDER BY source
