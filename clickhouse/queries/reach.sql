-- How many views had the posts published in [from_ms, to_ms) after 1, 12, 24 and 48 hours, albums once and deleted posts left out? By how many of these ages are known from the first one on.
WITH arrayMap(
    n -> arrayMax(arrayMap(v -> ifNull(v, -1), arraySlice(views_at, 1, n))), [1, 2, 3, 4]) AS highest
SELECT
    [countIf(isNotNull(views_at[1])), countIf(isNotNull(views_at[2])),
        countIf(isNotNull(views_at[3])), countIf(isNotNull(views_at[4]))] AS known,
    [countIf(complete >= 1), countIf(complete >= 2), countIf(complete >= 3), countIf(complete >= 4)] AS posts,
    [sumForEachIf(highest, complete >= 1), sumForEachIf(highest, complete >= 2),
        sumForEachIf(highest, complete >= 3), sumForEachIf(highest, complete >= 4)] AS views,
    sum(views_at[3]) AS day_views,
    toUnixTimestamp64Milli(max(newest_at)) AS as_of_ms
FROM
(
    SELECT
        [maxOrNullIf(a.views, a.age_s = 3600), maxOrNullIf(a.views, a.age_s = 43200),
            maxOrNullIf(a.views, a.age_s = 86400), maxOrNullIf(a.views, a.age_s = 172800)] AS views_at,
        indexOf(arrayPushBack(views_at, NULL), NULL) - 1 AS complete,
        max(a.observed_at) AS newest_at
    FROM
    (
        SELECT post_id, arrayJoin(post_ids) AS member
        FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
        WHERE NOT deleted
    ) AS p
    INNER JOIN
    (
        SELECT post_id, age_s, toFloat64(assumeNotNull(views)) AS views, observed_at
        FROM post_ages FINAL
        WHERE channel_id = {channel_id:Int64} AND isNotNull(views) AND age_s IN (3600, 43200, 86400, 172800)
    ) AS a ON a.post_id = p.member
    GROUP BY p.post_id
)
