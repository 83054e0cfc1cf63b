-- Which posts were published in [from_ms, to_ms), albums once, highest `sort` first, after a given place?
SELECT
    p.post_id AS post_id, p.date_ms AS date_ms, p.text AS text, p.views AS views,
    p.forwards AS forwards, p.replies AS replies, p.reactions AS reactions,
    p.rated_views AS rated_views, p.rated_answers AS rated_answers,
    p.observed_at_ms AS observed_at_ms, p.sources AS sources,
    toBool(p.edited) AS edited, toBool(p.deleted) AS deleted,
    v.velocity_per_h AS velocity_per_h,
    toFloat64(ifNull(multiIf(
        {sort:String} = 'date', toFloat64(p.date_ms),
        {sort:String} = 'views', toFloat64(p.views),
        {sort:String} = 'forwards', toFloat64(p.forwards),
        {sort:String} = 'replies', toFloat64(p.replies),
        {sort:String} = 'reactions', toFloat64(p.reactions),
        {sort:String} = 'velocity', v.velocity_per_h,
        NULL), -1)) AS place
FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64}) AS p
LEFT JOIN
(
    SELECT toNullable(velocity_per_h) AS velocity_per_h, post_id
    FROM velocities(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
) AS v ON v.post_id = p.post_id
WHERE (place, p.post_id) < ({after_place:Float64}, {after_post:Int64})
ORDER BY place DESC, post_id DESC
LIMIT {limit:Int64}
