-- How many posts were published in [from_ms, to_ms), deleted ones left out, and what do their newest counters add up to?
SELECT
    count() AS posts,
    countIf(isNotNull(p.views)) AS posts_known,
    sum(p.views) AS views,
    sum(p.forwards) AS forwards,
    sum(p.replies) AS replies,
    sum(p.reactions) AS reactions,
    quantileExactInclusiveIf(0.5)(assumeNotNull(p.views), isNotNull(p.views)) AS views_median,
    sumIf(assumeNotNull(p.views), p.answered) AS answered_views,
    sumIf(ifNull(p.forwards, 0) + ifNull(p.replies, 0) + ifNull(p.reactions, 0), p.answered) AS answers,
    max(p.observed_at_ms) AS as_of_ms,
    arraySort(groupUniqArrayArray(p.sources)) AS sources
FROM
(
    SELECT
        views, forwards, replies, reactions, observed_at_ms, sources,
        isNotNull(views) AND (isNotNull(forwards) OR isNotNull(replies) OR isNotNull(reactions)) AS answered
    FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
    WHERE NOT deleted
) AS p
