-- Of the posts published in [from_ms, to_ms), deleted ones left out and albums once: how many are known at exactly which of the ages of 1, 12, 24 and 48 hours, and what do their views add up to at each?
SELECT
    ages,
    count() AS posts,
    -- Added up in order of size, so that the same posts always make the same float.
    arrayMap(views -> arraySum(arraySort(views)), groupArrayForEach(highest)) AS views,
    arraySum(arraySort(groupArray(at_day))) AS day_views,
    maxForEach(observed_ms) AS as_of_ms
FROM
(
    SELECT
        -- Of an album's posts the highest; of a post the highest up to each age, because a counter that fell later was not unseen.
        maxMap(map(a.age_s, a.known)) AS at,
        mapKeys(at) AS ages,
        arrayMap(place -> arrayMax(arraySlice(mapValues(at), 1, place)), arrayEnumerate(ages)) AS highest,
        at[86400] AS at_day,
        mapValues(maxMap(map(a.age_s, toUnixTimestamp64Milli(a.observed_at)))) AS observed_ms
    FROM
    (
        SELECT post_id, arrayJoin(post_ids) AS member
        FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
        WHERE NOT deleted
    ) AS p
    INNER JOIN
    (
        SELECT post_id, age_s, assumeNotNull(views) AS known, observed_at
        FROM post_ages FINAL
        WHERE channel_id = {channel_id:Int64} AND isNotNull(views) AND age_s IN (3600, 43200, 86400, 172800)
    ) AS a ON a.post_id = p.member
    GROUP BY p.post_id
)
GROUP BY ages
ORDER BY ages
