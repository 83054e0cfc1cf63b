-- How many posts were published in [from_ms, to_ms), deleted ones left out, and what do their newest counters add up to?
SELECT
    count() AS posts,
    countIf(isNotNull(p.views)) AS views_known,
    countIf(isNotNull(p.forwards)) AS forwards_known,
    countIf(isNotNull(p.replies)) AS replies_known,
    countIf(isNotNull(p.reactions)) AS reactions_known,
    sum(p.views) AS views,
    sum(p.forwards) AS forwards,
    sum(p.replies) AS replies,
    sum(p.reactions) AS reactions,
    quantileExactInclusiveIf(0.5)(assumeNotNull(p.views), isNotNull(p.views)) AS views_median,
    countIf(isNotNull(p.rated_answers)) AS rated,
    sum(p.rated_views) AS rated_views,
    sum(p.rated_answers) AS rated_answers,
    max(p.observed_at_ms) AS as_of_ms,
    arraySort(groupUniqArrayArray(p.sources)) AS sources
FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64}) AS p
WHERE NOT p.deleted
